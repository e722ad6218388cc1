-- Module D, additions: consensus, deduplication, matches, quality, translations.

SET LOCAL ROLE neanelu_owner;

-- prod_proposals ----------------------------------------------------------------------------------

CREATE TABLE prod_proposals (
    id                    UUID         DEFAULT uuidv7() PRIMARY KEY,
    product_id            UUID         NOT NULL REFERENCES prod_master (id),
    field_path            TEXT         NOT NULL,
    current_value         JSONB,
    proposed_value        JSONB        NOT NULL,
    extraction_session_id UUID         REFERENCES prod_extraction_sessions (id),
    source_id             UUID         REFERENCES prod_sources (id),
    confidence_score      DECIMAL(3,2),
    proposal_status       VARCHAR(20)  DEFAULT 'pending',
    priority              INTEGER      DEFAULT 0,
    reviewed_by           UUID         REFERENCES staff_users (id),
    reviewed_at           TIMESTAMPTZ,
    review_notes          TEXT,
    auto_approved         BOOLEAN      DEFAULT false,
    expires_at            TIMESTAMPTZ,
    created_at            TIMESTAMPTZ  DEFAULT now(),
    updated_at            TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_proposals_product ON prod_proposals (product_id, proposal_status);
CREATE INDEX idx_proposals_pending ON prod_proposals (proposal_status, priority DESC)
    WHERE proposal_status = 'pending';
CREATE INDEX idx_proposals_field ON prod_proposals (product_id, field_path);
CREATE INDEX idx_proposals_source ON prod_proposals (source_id);
CREATE INDEX idx_proposals_expires ON prod_proposals (expires_at)
    WHERE proposal_status = 'pending';

COMMENT ON TABLE prod_proposals IS
    'Proposed values for fields of golden records, awaiting consensus or review.';
COMMENT ON COLUMN prod_proposals.id IS 'Primary key';
COMMENT ON COLUMN prod_proposals.product_id IS 'Target product';
COMMENT ON COLUMN prod_proposals.field_path IS 'JSON path: ''specs.weight_kg''';
COMMENT ON COLUMN prod_proposals.current_value IS 'Existing value';
COMMENT ON COLUMN prod_proposals.proposed_value IS 'New proposed value';
COMMENT ON COLUMN prod_proposals.extraction_session_id IS 'Source extraction';
COMMENT ON COLUMN prod_proposals.source_id IS 'Source reference';
COMMENT ON COLUMN prod_proposals.confidence_score IS '0.0-1.0';
COMMENT ON COLUMN prod_proposals.proposal_status IS 'pending/approved/rejected/merged/superseded';
COMMENT ON COLUMN prod_proposals.priority IS 'Higher = more urgent';
COMMENT ON COLUMN prod_proposals.reviewed_by IS 'Who reviewed it';
COMMENT ON COLUMN prod_proposals.reviewed_at IS 'When it was reviewed';
COMMENT ON COLUMN prod_proposals.review_notes IS 'Notes of the reviewer';
COMMENT ON COLUMN prod_proposals.auto_approved IS 'AI auto-approval';
COMMENT ON COLUMN prod_proposals.expires_at IS 'Auto-reject deadline';
COMMENT ON COLUMN prod_proposals.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_proposals.updated_at IS 'When the row was last changed here';

-- prod_dedupe_clusters ----------------------------------------------------------------------------

CREATE TABLE prod_dedupe_clusters (
    id                   UUID         DEFAULT uuidv7() PRIMARY KEY,
    cluster_type         VARCHAR(30)  NOT NULL,
    match_criteria       JSONB        NOT NULL,
    canonical_product_id UUID         REFERENCES prod_master (id),
    member_count         INTEGER      DEFAULT 1,
    confidence_score     DECIMAL(3,2),
    status               VARCHAR(20)  DEFAULT 'pending',
    reviewed_by          UUID         REFERENCES staff_users (id),
    reviewed_at          TIMESTAMPTZ,
    created_at           TIMESTAMPTZ  DEFAULT now(),
    updated_at           TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_clusters_canonical ON prod_dedupe_clusters (canonical_product_id);
CREATE INDEX idx_clusters_status ON prod_dedupe_clusters (status, confidence_score DESC);
CREATE INDEX idx_clusters_type ON prod_dedupe_clusters (cluster_type, status);

COMMENT ON TABLE prod_dedupe_clusters IS
    'Groups of golden records that may be the same product.';
COMMENT ON COLUMN prod_dedupe_clusters.id IS 'Primary key';
COMMENT ON COLUMN prod_dedupe_clusters.cluster_type IS 'EXACT_MATCH/FUZZY/SEMANTIC';
COMMENT ON COLUMN prod_dedupe_clusters.match_criteria IS '{fields, thresholds}';
COMMENT ON COLUMN prod_dedupe_clusters.canonical_product_id IS 'Golden record';
COMMENT ON COLUMN prod_dedupe_clusters.member_count IS 'Number of products';
COMMENT ON COLUMN prod_dedupe_clusters.confidence_score IS 'Average similarity';
COMMENT ON COLUMN prod_dedupe_clusters.status IS 'pending/confirmed/rejected/merged';
COMMENT ON COLUMN prod_dedupe_clusters.reviewed_by IS 'Who reviewed it';
COMMENT ON COLUMN prod_dedupe_clusters.reviewed_at IS 'When it was reviewed';
COMMENT ON COLUMN prod_dedupe_clusters.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_dedupe_clusters.updated_at IS 'When the row was last changed here';

-- prod_dedupe_cluster_members ---------------------------------------------------------------------

CREATE TABLE prod_dedupe_cluster_members (
    cluster_id       UUID         NOT NULL REFERENCES prod_dedupe_clusters (id),
    product_id       UUID         NOT NULL REFERENCES prod_master (id),
    similarity_score DECIMAL(5,4),
    match_fields     JSONB,
    is_canonical     BOOLEAN      DEFAULT false,
    created_at       TIMESTAMPTZ  DEFAULT now(),
    updated_at       TIMESTAMPTZ  DEFAULT now(),
    PRIMARY KEY (cluster_id, product_id)
);

CREATE INDEX idx_cluster_members_product ON prod_dedupe_cluster_members (product_id);
CREATE INDEX idx_cluster_members_similarity ON prod_dedupe_cluster_members (cluster_id, similarity_score DESC);

COMMENT ON TABLE prod_dedupe_cluster_members IS
    'Members of a deduplication cluster.';
COMMENT ON COLUMN prod_dedupe_cluster_members.cluster_id IS 'The cluster it belongs to';
COMMENT ON COLUMN prod_dedupe_cluster_members.product_id IS 'The member';
COMMENT ON COLUMN prod_dedupe_cluster_members.similarity_score IS 'Similarity to canonical';
COMMENT ON COLUMN prod_dedupe_cluster_members.match_fields IS 'Which fields matched';
COMMENT ON COLUMN prod_dedupe_cluster_members.is_canonical IS 'Is this the golden record';
COMMENT ON COLUMN prod_dedupe_cluster_members.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_dedupe_cluster_members.updated_at IS 'When the row was last changed here';

-- prod_similarity_matches -------------------------------------------------------------------------

CREATE TABLE prod_similarity_matches (
    id                    UUID          DEFAULT uuidv7() PRIMARY KEY,
    product_id            UUID          NOT NULL REFERENCES prod_master (id),
    source_id             UUID          REFERENCES prod_sources (id),
    source_url            TEXT          NOT NULL,
    source_product_id     VARCHAR(255),
    source_gtin           VARCHAR(14),
    source_title          TEXT,
    source_brand          VARCHAR(255),
    source_price          DECIMAL(12,2),
    source_currency       VARCHAR(3),
    similarity_score      DECIMAL(5,4)  NOT NULL CHECK (similarity_score >= 0 AND similarity_score <= 1),
    match_method          VARCHAR(30)   NOT NULL,
    match_confidence      VARCHAR(20)   DEFAULT 'pending',
    match_details         JSONB         DEFAULT '{}',
    extraction_session_id UUID          REFERENCES prod_extraction_sessions (id),
    specs_extracted       JSONB,
    scraped_at            TIMESTAMPTZ,
    validated_at          TIMESTAMPTZ,
    validated_by          UUID          REFERENCES staff_users (id),
    validation_notes      TEXT,
    is_primary_source     BOOLEAN       DEFAULT false,
    created_at            TIMESTAMPTZ   DEFAULT now(),
    updated_at            TIMESTAMPTZ   DEFAULT now()
);

CREATE INDEX idx_similarity_product ON prod_similarity_matches (product_id);
CREATE INDEX idx_similarity_source ON prod_similarity_matches (source_id);
CREATE INDEX idx_similarity_gtin ON prod_similarity_matches (source_gtin)
    WHERE source_gtin IS NOT NULL;
CREATE INDEX idx_similarity_score ON prod_similarity_matches (similarity_score DESC)
    WHERE similarity_score >= 0.95;
CREATE INDEX idx_similarity_method ON prod_similarity_matches (match_method, match_confidence);
CREATE INDEX idx_similarity_pending ON prod_similarity_matches (match_confidence)
    WHERE match_confidence = 'pending';
CREATE INDEX idx_similarity_confirmed ON prod_similarity_matches (product_id, is_primary_source)
    WHERE match_confidence = 'confirmed';
CREATE INDEX idx_similarity_url ON prod_similarity_matches (source_url);

COMMENT ON TABLE prod_similarity_matches IS
    'Matches of golden records with products found outside, and how they were validated.';
COMMENT ON COLUMN prod_similarity_matches.id IS 'Primary key';
COMMENT ON COLUMN prod_similarity_matches.product_id IS 'Our internal product';
COMMENT ON COLUMN prod_similarity_matches.source_id IS 'Where the match was found';
COMMENT ON COLUMN prod_similarity_matches.source_url IS 'URL of external product page';
COMMENT ON COLUMN prod_similarity_matches.source_product_id IS 'External product ID (ASIN, eMag ID)';
COMMENT ON COLUMN prod_similarity_matches.source_gtin IS 'GTIN from external source';
COMMENT ON COLUMN prod_similarity_matches.source_title IS 'Title from external source';
COMMENT ON COLUMN prod_similarity_matches.source_brand IS 'Brand from external source';
COMMENT ON COLUMN prod_similarity_matches.source_price IS 'Price from external source';
COMMENT ON COLUMN prod_similarity_matches.source_currency IS 'Currency code';
COMMENT ON COLUMN prod_similarity_matches.similarity_score IS '0.95-1.00 for valid matches';
COMMENT ON COLUMN prod_similarity_matches.match_method IS 'gtin_exact/vector_semantic/title_fuzzy/mpn_exact';
COMMENT ON COLUMN prod_similarity_matches.match_confidence IS 'pending/confirmed/rejected/uncertain';
COMMENT ON COLUMN prod_similarity_matches.match_details IS '{matched_fields, scores_breakdown}';
COMMENT ON COLUMN prod_similarity_matches.extraction_session_id IS 'If specs were extracted';
COMMENT ON COLUMN prod_similarity_matches.specs_extracted IS 'Specs harvested from this source';
COMMENT ON COLUMN prod_similarity_matches.scraped_at IS 'When the source was scraped';
COMMENT ON COLUMN prod_similarity_matches.validated_at IS 'When human/AI validated';
COMMENT ON COLUMN prod_similarity_matches.validated_by IS 'Who validated (if human)';
COMMENT ON COLUMN prod_similarity_matches.validation_notes IS 'Notes of who validated it';
COMMENT ON COLUMN prod_similarity_matches.is_primary_source IS 'Is this the best match for enrichment';
COMMENT ON COLUMN prod_similarity_matches.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_similarity_matches.updated_at IS 'When the row was last changed here';

-- prod_quality_events -----------------------------------------------------------------------------

CREATE TABLE prod_quality_events (
    id                   UUID         DEFAULT uuidv7() PRIMARY KEY,
    product_id           UUID         NOT NULL REFERENCES prod_master (id),
    event_type           VARCHAR(50)  NOT NULL,
    previous_level       VARCHAR(20),
    new_level            VARCHAR(20)  NOT NULL,
    quality_score_before DECIMAL(3,2),
    quality_score_after  DECIMAL(3,2),
    trigger_reason       VARCHAR(100) NOT NULL,
    trigger_details      JSONB        DEFAULT '{}',
    triggered_by         UUID         REFERENCES staff_users (id),
    job_id               VARCHAR(255),
    webhook_sent         BOOLEAN      DEFAULT false,
    webhook_sent_at      TIMESTAMPTZ,
    created_at           TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_quality_events_product ON prod_quality_events (product_id, created_at DESC);
CREATE INDEX idx_quality_events_type ON prod_quality_events (event_type, created_at DESC);
CREATE INDEX idx_quality_events_level ON prod_quality_events (new_level, created_at DESC);
CREATE INDEX idx_quality_events_pending_webhook ON prod_quality_events (created_at)
    WHERE webhook_sent = false;

COMMENT ON TABLE prod_quality_events IS
    'Changes of a golden record''s quality level, one row per transition.';
COMMENT ON COLUMN prod_quality_events.id IS 'Primary key';
COMMENT ON COLUMN prod_quality_events.product_id IS 'The golden record it is about';
COMMENT ON COLUMN prod_quality_events.event_type IS 'quality_promoted/quality_demoted/review_requested';
COMMENT ON COLUMN prod_quality_events.previous_level IS 'bronze/silver/golden';
COMMENT ON COLUMN prod_quality_events.new_level IS 'bronze/silver/golden/review_needed';
COMMENT ON COLUMN prod_quality_events.quality_score_before IS 'Quality score before the change';
COMMENT ON COLUMN prod_quality_events.quality_score_after IS 'Quality score after the change';
COMMENT ON COLUMN prod_quality_events.trigger_reason IS 'auto_enrichment/manual_review/data_change/scheduled_check';
COMMENT ON COLUMN prod_quality_events.trigger_details IS '{changed_fields, enrichment_source}';
COMMENT ON COLUMN prod_quality_events.triggered_by IS 'NULL if automated';
COMMENT ON COLUMN prod_quality_events.job_id IS 'Dagster run that made it';
COMMENT ON COLUMN prod_quality_events.webhook_sent IS 'Was notification sent';
COMMENT ON COLUMN prod_quality_events.webhook_sent_at IS 'When the notification was sent';
COMMENT ON COLUMN prod_quality_events.created_at IS 'When the row was created here';

-- prod_translations -------------------------------------------------------------------------------

CREATE TABLE prod_translations (
    id                 UUID                 DEFAULT uuidv7() PRIMARY KEY,
    product_id         UUID                 NOT NULL REFERENCES prod_master (id),
    locale             VARCHAR(10)          NOT NULL,
    title              TEXT,
    description        TEXT COMPRESSION lz4,
    description_short  VARCHAR(500),
    keywords           TEXT[],
    seo_title          VARCHAR(255),
    seo_description    TEXT,
    translation_source VARCHAR(30),
    quality_score      DECIMAL(3,2),
    is_approved        BOOLEAN              DEFAULT false,
    created_at         TIMESTAMPTZ          DEFAULT now(),
    updated_at         TIMESTAMPTZ          DEFAULT now()
);

CREATE UNIQUE INDEX idx_translations_product_locale ON prod_translations (product_id, locale);
CREATE INDEX idx_translations_locale ON prod_translations (locale, is_approved);

COMMENT ON TABLE prod_translations IS
    'Translations of a golden record''s texts.';
COMMENT ON COLUMN prod_translations.id IS 'Primary key';
COMMENT ON COLUMN prod_translations.product_id IS 'The golden record it is about';
COMMENT ON COLUMN prod_translations.locale IS 'en/ro/de/fr etc';
COMMENT ON COLUMN prod_translations.title IS 'Translated title';
COMMENT ON COLUMN prod_translations.description IS 'Translated description';
COMMENT ON COLUMN prod_translations.description_short IS 'Translated summary';
COMMENT ON COLUMN prod_translations.keywords IS 'Localized keywords';
COMMENT ON COLUMN prod_translations.seo_title IS 'Translated title for search engines';
COMMENT ON COLUMN prod_translations.seo_description IS 'Translated description for search engines';
COMMENT ON COLUMN prod_translations.translation_source IS 'manual/ai/import';
COMMENT ON COLUMN prod_translations.quality_score IS 'Translation quality';
COMMENT ON COLUMN prod_translations.is_approved IS 'Whether a person approved it';
COMMENT ON COLUMN prod_translations.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_translations.updated_at IS 'When the row was last changed here';
