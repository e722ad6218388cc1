-- Module D: the global catalogue (PIM).

SET LOCAL ROLE neanelu_owner;

-- prod_taxonomy -----------------------------------------------------------------------------------

CREATE TABLE prod_taxonomy (
    id                  UUID         DEFAULT uuidv7() PRIMARY KEY,
    parent_id           UUID         REFERENCES prod_taxonomy (id),
    name                VARCHAR(255) NOT NULL,
    slug                VARCHAR(255) NOT NULL CONSTRAINT idx_taxonomy_slug UNIQUE,
    breadcrumbs         TEXT[],
    level               INTEGER      DEFAULT 0 NOT NULL,
    attribute_schema    JSONB        DEFAULT '{}',
    validation_rules    JSONB        DEFAULT '{}',
    external_mappings   JSONB        DEFAULT '{}',
    shopify_taxonomy_id VARCHAR(100),
    is_active           BOOLEAN      DEFAULT true,
    sort_order          INTEGER      DEFAULT 0,
    created_at          TIMESTAMPTZ  DEFAULT now(),
    updated_at          TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_taxonomy_parent ON prod_taxonomy (parent_id);
CREATE INDEX idx_taxonomy_shopify ON prod_taxonomy (shopify_taxonomy_id);
CREATE INDEX idx_taxonomy_breadcrumbs ON prod_taxonomy USING gin (breadcrumbs);

COMMENT ON TABLE prod_taxonomy IS
    'Global category tree with the attributes each category asks for.';
COMMENT ON COLUMN prod_taxonomy.id IS 'Primary key';
COMMENT ON COLUMN prod_taxonomy.parent_id IS 'Parent category; NULL at the root';
COMMENT ON COLUMN prod_taxonomy.name IS 'Category name';
COMMENT ON COLUMN prod_taxonomy.slug IS 'URL-safe slug';
COMMENT ON COLUMN prod_taxonomy.breadcrumbs IS 'Full path array';
COMMENT ON COLUMN prod_taxonomy.level IS 'Depth in tree';
COMMENT ON COLUMN prod_taxonomy.attribute_schema IS 'Required attributes';
COMMENT ON COLUMN prod_taxonomy.validation_rules IS 'Rules that values of the category must obey';
COMMENT ON COLUMN prod_taxonomy.external_mappings IS '{shopify, google, facebook}';
COMMENT ON COLUMN prod_taxonomy.shopify_taxonomy_id IS 'Shopify category ID';
COMMENT ON COLUMN prod_taxonomy.is_active IS 'Whether it is in use';
COMMENT ON COLUMN prod_taxonomy.sort_order IS 'Sort order among siblings';
COMMENT ON COLUMN prod_taxonomy.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_taxonomy.updated_at IS 'When the row was last changed here';

-- prod_sources ------------------------------------------------------------------------------------

CREATE TABLE prod_sources (
    id              UUID         DEFAULT uuidv7() PRIMARY KEY,
    name            VARCHAR(100) NOT NULL UNIQUE,
    source_type     VARCHAR(50)  NOT NULL,
    base_url        TEXT,
    priority        INTEGER      DEFAULT 50,
    trust_score     DECIMAL(3,2) DEFAULT 0.5,
    config          JSONB        DEFAULT '{}',
    rate_limit      JSONB,
    auth_config     JSONB,
    is_active       BOOLEAN      DEFAULT true,
    last_harvest_at TIMESTAMPTZ,
    created_at      TIMESTAMPTZ  DEFAULT now(),
    updated_at      TIMESTAMPTZ  DEFAULT now()
);

COMMENT ON TABLE prod_sources IS
    'Where product data comes from: suppliers, manufacturers, scrapers.';
COMMENT ON COLUMN prod_sources.id IS 'Primary key';
COMMENT ON COLUMN prod_sources.name IS 'Source name';
COMMENT ON COLUMN prod_sources.source_type IS 'SUPPLIER/MANUFACTURER/SCRAPER';
COMMENT ON COLUMN prod_sources.base_url IS 'Address that the source''s pages begin with';
COMMENT ON COLUMN prod_sources.priority IS 'Conflict resolution';
COMMENT ON COLUMN prod_sources.trust_score IS '0.0-1.0';
COMMENT ON COLUMN prod_sources.config IS 'Scraper config';
COMMENT ON COLUMN prod_sources.rate_limit IS '{requests_per_second}';
COMMENT ON COLUMN prod_sources.auth_config IS 'Encrypted credentials ref';
COMMENT ON COLUMN prod_sources.is_active IS 'Whether it is in use';
COMMENT ON COLUMN prod_sources.last_harvest_at IS 'When it was last harvested';
COMMENT ON COLUMN prod_sources.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_sources.updated_at IS 'When the row was last changed here';

-- prod_raw_harvest --------------------------------------------------------------------------------

CREATE TABLE prod_raw_harvest (
    id                UUID                  DEFAULT uuidv7(),
    source_id         UUID                  NOT NULL REFERENCES prod_sources (id),
    target_sku        VARCHAR(100),
    source_url        TEXT                  NOT NULL,
    source_product_id VARCHAR(255),
    raw_html          TEXT COMPRESSION lz4,
    raw_json          JSONB COMPRESSION lz4,
    http_status       INTEGER,
    response_headers  JSONB,
    fetched_at        TIMESTAMPTZ           DEFAULT now() NOT NULL,
    processing_status VARCHAR(20)           DEFAULT 'pending',
    processing_error  TEXT,
    processed_at      TIMESTAMPTZ,
    content_hash      VARCHAR(64),
    ttl_expires_at    TIMESTAMPTZ,
    created_at        TIMESTAMPTZ           DEFAULT now(),
    PRIMARY KEY (id, fetched_at)
) PARTITION BY RANGE (fetched_at);

CREATE INDEX idx_harvest_source ON prod_raw_harvest (source_id);
CREATE INDEX idx_harvest_status ON prod_raw_harvest (processing_status);
CREATE INDEX idx_harvest_sku ON prod_raw_harvest (target_sku)
    WHERE target_sku IS NOT NULL;
CREATE INDEX idx_harvest_url ON prod_raw_harvest (source_url);
CREATE INDEX idx_harvest_hash ON prod_raw_harvest (content_hash);

COMMENT ON TABLE prod_raw_harvest IS
    'Pages as they were fetched. Monthly partitions by fetched_at.';
COMMENT ON COLUMN prod_raw_harvest.id IS 'Primary key';
COMMENT ON COLUMN prod_raw_harvest.source_id IS 'The source that the page belongs to';
COMMENT ON COLUMN prod_raw_harvest.target_sku IS 'Matched SKU if known';
COMMENT ON COLUMN prod_raw_harvest.source_url IS 'Scraped URL';
COMMENT ON COLUMN prod_raw_harvest.source_product_id IS 'External product ID';
COMMENT ON COLUMN prod_raw_harvest.raw_html IS 'Full HTML';
COMMENT ON COLUMN prod_raw_harvest.raw_json IS 'Structured data';
COMMENT ON COLUMN prod_raw_harvest.http_status IS 'Response code';
COMMENT ON COLUMN prod_raw_harvest.response_headers IS 'Headers of the response';
COMMENT ON COLUMN prod_raw_harvest.fetched_at IS 'When the page was fetched; the partition key';
COMMENT ON COLUMN prod_raw_harvest.processing_status IS 'pending/processed/failed';
COMMENT ON COLUMN prod_raw_harvest.processing_error IS 'Why processing failed';
COMMENT ON COLUMN prod_raw_harvest.processed_at IS 'When the page was processed';
COMMENT ON COLUMN prod_raw_harvest.content_hash IS 'SHA256 for dedup';
COMMENT ON COLUMN prod_raw_harvest.ttl_expires_at IS 'Cache expiration';
COMMENT ON COLUMN prod_raw_harvest.created_at IS 'When the row was created here';

-- prod_extraction_sessions ------------------------------------------------------------------------

CREATE TABLE prod_extraction_sessions (
    id                 UUID         DEFAULT uuidv7() PRIMARY KEY,
    harvest_id         UUID         NOT NULL,
    harvest_fetched_at TIMESTAMPTZ  NOT NULL,
    agent_version      VARCHAR(50)  NOT NULL,
    model_name         VARCHAR(100),
    extracted_specs    JSONB        NOT NULL,
    grounding_snippets JSONB,
    confidence_score   DECIMAL(3,2),
    field_confidences  JSONB,
    tokens_used        INTEGER,
    latency_ms         INTEGER,
    error_message      TEXT,
    created_at         TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_extraction_harvest ON prod_extraction_sessions (harvest_id);
CREATE INDEX idx_extraction_confidence ON prod_extraction_sessions (confidence_score);
CREATE INDEX idx_extraction_specs ON prod_extraction_sessions USING gin (extracted_specs jsonb_path_ops);

COMMENT ON TABLE prod_extraction_sessions IS
    'What was extracted from a harvested page, by which model, with evidence.';
COMMENT ON COLUMN prod_extraction_sessions.id IS 'Primary key';
COMMENT ON COLUMN prod_extraction_sessions.harvest_id IS
    'The harvested page; no foreign key, because pages are dropped sooner';
COMMENT ON COLUMN prod_extraction_sessions.harvest_fetched_at IS 'When that page was fetched: finds its partition';
COMMENT ON COLUMN prod_extraction_sessions.agent_version IS 'AI model version';
COMMENT ON COLUMN prod_extraction_sessions.model_name IS 'gpt-4o/gemini-pro';
COMMENT ON COLUMN prod_extraction_sessions.extracted_specs IS '{key: value} pairs';
COMMENT ON COLUMN prod_extraction_sessions.grounding_snippets IS 'Source text evidence';
COMMENT ON COLUMN prod_extraction_sessions.confidence_score IS '0.0-1.0 overall';
COMMENT ON COLUMN prod_extraction_sessions.field_confidences IS 'Per-field scores';
COMMENT ON COLUMN prod_extraction_sessions.tokens_used IS 'API tokens consumed';
COMMENT ON COLUMN prod_extraction_sessions.latency_ms IS 'Processing time';
COMMENT ON COLUMN prod_extraction_sessions.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN prod_extraction_sessions.created_at IS 'When the row was created here';

-- prod_master -------------------------------------------------------------------------------------

CREATE TABLE prod_master (
    id                      UUID         DEFAULT uuidv7() PRIMARY KEY,
    internal_sku            VARCHAR(100) NOT NULL CONSTRAINT idx_master_sku UNIQUE,
    canonical_title         TEXT         NOT NULL,
    brand                   VARCHAR(255),
    manufacturer            VARCHAR(255),
    mpn                     VARCHAR(100),
    gtin                    VARCHAR(14),
    taxonomy_id             UUID         REFERENCES prod_taxonomy (id),
    dedupe_status           VARCHAR(20)  DEFAULT 'unique',
    dedupe_cluster_id       UUID,
    primary_source_id       UUID         REFERENCES prod_sources (id),
    lifecycle_status        VARCHAR(20)  DEFAULT 'active',
    data_quality_level      VARCHAR(20)  DEFAULT 'bronze' NOT NULL
        CHECK (data_quality_level IN ('bronze', 'silver', 'golden', 'review_needed')),
    quality_score           DECIMAL(3,2),
    quality_score_breakdown JSONB        DEFAULT '{}',
    last_quality_check      TIMESTAMPTZ,
    promoted_to_silver_at   TIMESTAMPTZ,
    promoted_to_golden_at   TIMESTAMPTZ,
    needs_review            BOOLEAN      DEFAULT false,
    review_notes            TEXT,
    created_at              TIMESTAMPTZ  DEFAULT now(),
    updated_at              TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_master_brand ON prod_master (brand);
CREATE INDEX idx_master_taxonomy ON prod_master (taxonomy_id);
CREATE INDEX idx_master_gtin ON prod_master (gtin)
    WHERE gtin IS NOT NULL;
CREATE INDEX idx_master_mpn ON prod_master (manufacturer, mpn);
CREATE INDEX idx_master_review ON prod_master (needs_review)
    WHERE needs_review = true;
CREATE INDEX idx_master_quality_level ON prod_master (data_quality_level);
CREATE INDEX idx_master_bronze ON prod_master (id)
    WHERE data_quality_level = 'bronze';
CREATE INDEX idx_master_silver ON prod_master (id)
    WHERE data_quality_level = 'silver';
CREATE INDEX idx_master_golden ON prod_master (id)
    WHERE data_quality_level = 'golden';

COMMENT ON TABLE prod_master IS
    'Golden records: one row per real product.';
COMMENT ON COLUMN prod_master.id IS 'Golden record ID';
COMMENT ON COLUMN prod_master.internal_sku IS 'Master SKU';
COMMENT ON COLUMN prod_master.canonical_title IS 'Resolved title';
COMMENT ON COLUMN prod_master.brand IS 'Resolved brand';
COMMENT ON COLUMN prod_master.manufacturer IS 'Resolved manufacturer';
COMMENT ON COLUMN prod_master.mpn IS 'Manufacturer part #';
COMMENT ON COLUMN prod_master.gtin IS 'Global Trade Item #';
COMMENT ON COLUMN prod_master.taxonomy_id IS 'Category';
COMMENT ON COLUMN prod_master.dedupe_status IS 'unique/merged/duplicate';
COMMENT ON COLUMN prod_master.dedupe_cluster_id IS 'Cluster reference';
COMMENT ON COLUMN prod_master.primary_source_id IS 'Source that the record mostly rests on';
COMMENT ON COLUMN prod_master.lifecycle_status IS 'active/discontinued/draft';
COMMENT ON COLUMN prod_master.data_quality_level IS 'PIM maturity stage';
COMMENT ON COLUMN prod_master.quality_score IS '0.0-1.0 computed score';
COMMENT ON COLUMN prod_master.quality_score_breakdown IS '{completeness, accuracy, consistency}';
COMMENT ON COLUMN prod_master.last_quality_check IS 'When quality was last evaluated';
COMMENT ON COLUMN prod_master.promoted_to_silver_at IS 'Timestamp of silver promotion';
COMMENT ON COLUMN prod_master.promoted_to_golden_at IS 'Timestamp of golden promotion';
COMMENT ON COLUMN prod_master.needs_review IS 'Whether a person must look at it';
COMMENT ON COLUMN prod_master.review_notes IS 'Notes of the reviewer';
COMMENT ON COLUMN prod_master.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_master.updated_at IS 'When the row was last changed here';

-- prod_specs_normalized ---------------------------------------------------------------------------

CREATE TABLE prod_specs_normalized (
    id            UUID         DEFAULT uuidv7() PRIMARY KEY,
    product_id    UUID         NOT NULL REFERENCES prod_master (id),
    specs         JSONB        NOT NULL,
    raw_specs     JSONB,
    provenance    JSONB        NOT NULL,
    version       INTEGER      DEFAULT 1 NOT NULL,
    is_current    BOOLEAN      DEFAULT true,
    needs_review  BOOLEAN      DEFAULT false,
    review_reason VARCHAR(100),
    created_at    TIMESTAMPTZ  DEFAULT now(),
    updated_at    TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_specs_product ON prod_specs_normalized (product_id);
CREATE UNIQUE INDEX idx_specs_current ON prod_specs_normalized (product_id)
    WHERE is_current = true;
CREATE INDEX idx_specs_data ON prod_specs_normalized USING gin (specs jsonb_path_ops);
CREATE INDEX idx_specs_review ON prod_specs_normalized (needs_review)
    WHERE needs_review = true;

COMMENT ON TABLE prod_specs_normalized IS
    'Normalized specifications of a golden record, versioned.';
COMMENT ON COLUMN prod_specs_normalized.id IS 'Primary key';
COMMENT ON COLUMN prod_specs_normalized.product_id IS 'The golden record it is about';
COMMENT ON COLUMN prod_specs_normalized.specs IS '{attr_code: {value, unit}}';
COMMENT ON COLUMN prod_specs_normalized.raw_specs IS 'Original before normalization';
COMMENT ON COLUMN prod_specs_normalized.provenance IS '{source_id, extraction_id, timestamp}';
COMMENT ON COLUMN prod_specs_normalized.version IS 'Spec version';
COMMENT ON COLUMN prod_specs_normalized.is_current IS 'Latest version';
COMMENT ON COLUMN prod_specs_normalized.needs_review IS 'Whether a person must look at it';
COMMENT ON COLUMN prod_specs_normalized.review_reason IS 'Why it must be reviewed';
COMMENT ON COLUMN prod_specs_normalized.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_specs_normalized.updated_at IS 'When the row was last changed here';

-- prod_semantics ----------------------------------------------------------------------------------

CREATE TABLE prod_semantics (
    product_id         UUID         PRIMARY KEY REFERENCES prod_master (id),
    title_master       TEXT         NOT NULL,
    description_master TEXT,
    description_short  VARCHAR(500),
    ai_summary         TEXT,
    keywords           TEXT[],
    keywords_graph     JSONB,
    json_ld_schema     JSONB,
    search_vector      TSVECTOR,
    locale             VARCHAR(10)  DEFAULT 'ro',
    updated_at         TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_semantics_fts ON prod_semantics USING gin (search_vector);
CREATE INDEX idx_semantics_keywords ON prod_semantics USING gin (keywords);

COMMENT ON TABLE prod_semantics IS
    'Texts, keywords and search vector of a golden record.';
COMMENT ON COLUMN prod_semantics.product_id IS 'The golden record that the texts are of';
COMMENT ON COLUMN prod_semantics.title_master IS 'SEO-optimized title';
COMMENT ON COLUMN prod_semantics.description_master IS 'Long description';
COMMENT ON COLUMN prod_semantics.description_short IS 'Summary';
COMMENT ON COLUMN prod_semantics.ai_summary IS 'AI-generated summary';
COMMENT ON COLUMN prod_semantics.keywords IS 'Search keywords';
COMMENT ON COLUMN prod_semantics.keywords_graph IS 'Related terms graph';
COMMENT ON COLUMN prod_semantics.json_ld_schema IS 'Schema.org Product';
COMMENT ON COLUMN prod_semantics.search_vector IS 'Full-text search';
COMMENT ON COLUMN prod_semantics.locale IS 'Language of the text';
COMMENT ON COLUMN prod_semantics.updated_at IS 'When the row was last changed here';

-- prod_channel_mappings ---------------------------------------------------------------------------

CREATE TABLE prod_channel_mappings (
    id             UUID         DEFAULT uuidv7() PRIMARY KEY,
    product_id     UUID         NOT NULL REFERENCES prod_master (id),
    channel        VARCHAR(50)  NOT NULL,
    shop_id        UUID         REFERENCES shops (id),
    external_id    VARCHAR(255) NOT NULL,
    sync_status    VARCHAR(20)  DEFAULT 'pending',
    last_pushed_at TIMESTAMPTZ,
    last_pulled_at TIMESTAMPTZ,
    channel_meta   JSONB        DEFAULT '{}',
    error_message  TEXT,
    created_at     TIMESTAMPTZ  DEFAULT now(),
    updated_at     TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_channel_product ON prod_channel_mappings (product_id);
CREATE UNIQUE INDEX idx_channel_external ON prod_channel_mappings (channel, shop_id, external_id) NULLS NOT DISTINCT;
CREATE INDEX idx_channel_status ON prod_channel_mappings (channel, sync_status);

COMMENT ON TABLE prod_channel_mappings IS
    'Where a golden record is published: Shopify, Google, Facebook.';
COMMENT ON COLUMN prod_channel_mappings.id IS 'Primary key';
COMMENT ON COLUMN prod_channel_mappings.product_id IS 'Target product';
COMMENT ON COLUMN prod_channel_mappings.channel IS 'shopify/google/facebook';
COMMENT ON COLUMN prod_channel_mappings.shop_id IS 'For Shopify channel';
COMMENT ON COLUMN prod_channel_mappings.external_id IS 'Channel product ID';
COMMENT ON COLUMN prod_channel_mappings.sync_status IS 'pending/synced/error';
COMMENT ON COLUMN prod_channel_mappings.last_pushed_at IS 'When it was last sent to the channel';
COMMENT ON COLUMN prod_channel_mappings.last_pulled_at IS 'When it was last read from the channel';
COMMENT ON COLUMN prod_channel_mappings.channel_meta IS 'Channel-specific data';
COMMENT ON COLUMN prod_channel_mappings.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN prod_channel_mappings.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_channel_mappings.updated_at IS 'When the row was last changed here';
