-- Module E: attribute normalization and vectors.

SET LOCAL ROLE neanelu_owner;

-- prod_attr_definitions ---------------------------------------------------------------------------

CREATE TABLE prod_attr_definitions (
    id               UUID         DEFAULT uuidv7() PRIMARY KEY,
    code             VARCHAR(100) NOT NULL CONSTRAINT idx_attr_code UNIQUE,
    label            VARCHAR(255) NOT NULL,
    description      TEXT,
    data_type        VARCHAR(30)  NOT NULL,
    unit             VARCHAR(50),
    unit_family      VARCHAR(50),
    allowed_values   JSONB,
    validation_regex VARCHAR(255),
    is_required      BOOLEAN      DEFAULT false,
    is_variant_level BOOLEAN      DEFAULT false,
    is_searchable    BOOLEAN      DEFAULT true,
    is_filterable    BOOLEAN      DEFAULT true,
    display_order    INTEGER      DEFAULT 0,
    embedding        VECTOR(1536),
    created_at       TIMESTAMPTZ  DEFAULT now(),
    updated_at       TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_attr_type ON prod_attr_definitions (data_type);
CREATE INDEX idx_attr_embedding ON prod_attr_definitions USING hnsw (embedding vector_cosine_ops);

COMMENT ON TABLE prod_attr_definitions IS
    'Canonical attributes: type, unit, allowed values.';
COMMENT ON COLUMN prod_attr_definitions.id IS 'Primary key';
COMMENT ON COLUMN prod_attr_definitions.code IS 'Canonical attr code';
COMMENT ON COLUMN prod_attr_definitions.label IS 'Display label';
COMMENT ON COLUMN prod_attr_definitions.description IS 'What the attribute means';
COMMENT ON COLUMN prod_attr_definitions.data_type IS 'string/number/boolean/enum';
COMMENT ON COLUMN prod_attr_definitions.unit IS 'Default unit';
COMMENT ON COLUMN prod_attr_definitions.unit_family IS 'length/weight/volume';
COMMENT ON COLUMN prod_attr_definitions.allowed_values IS 'Enum values';
COMMENT ON COLUMN prod_attr_definitions.validation_regex IS 'Input validation';
COMMENT ON COLUMN prod_attr_definitions.is_required IS 'Whether a product must have it';
COMMENT ON COLUMN prod_attr_definitions.is_variant_level IS 'Whether it differs between variants';
COMMENT ON COLUMN prod_attr_definitions.is_searchable IS 'Whether it can be searched';
COMMENT ON COLUMN prod_attr_definitions.is_filterable IS 'Whether it can be filtered by';
COMMENT ON COLUMN prod_attr_definitions.display_order IS 'Sort order';
COMMENT ON COLUMN prod_attr_definitions.embedding IS 'Semantic embedding';
COMMENT ON COLUMN prod_attr_definitions.created_at IS 'When the row was created here';
COMMENT ON COLUMN prod_attr_definitions.updated_at IS 'When the row was last changed here';

-- prod_attr_synonyms ------------------------------------------------------------------------------

CREATE TABLE prod_attr_synonyms (
    id               UUID         DEFAULT uuidv7() PRIMARY KEY,
    definition_id    UUID         NOT NULL REFERENCES prod_attr_definitions (id),
    synonym_text     VARCHAR(255) NOT NULL,
    locale           VARCHAR(10)  DEFAULT 'ro',
    source           VARCHAR(50),
    confidence_score DECIMAL(3,2) DEFAULT 1.0,
    is_approved      BOOLEAN      DEFAULT false,
    created_at       TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_synonyms_definition ON prod_attr_synonyms (definition_id);
CREATE INDEX idx_synonyms_text ON prod_attr_synonyms (synonym_text);
CREATE INDEX idx_synonyms_text_trgm ON prod_attr_synonyms USING gin (synonym_text gin_trgm_ops);

COMMENT ON TABLE prod_attr_synonyms IS
    'Other names of canonical attributes.';
COMMENT ON COLUMN prod_attr_synonyms.id IS 'Primary key';
COMMENT ON COLUMN prod_attr_synonyms.definition_id IS 'The canonical attribute';
COMMENT ON COLUMN prod_attr_synonyms.synonym_text IS 'Alternate name';
COMMENT ON COLUMN prod_attr_synonyms.locale IS 'Language of the text';
COMMENT ON COLUMN prod_attr_synonyms.source IS 'manual/ai/import';
COMMENT ON COLUMN prod_attr_synonyms.confidence_score IS 'How sure the synonym is, 0.0-1.0';
COMMENT ON COLUMN prod_attr_synonyms.is_approved IS 'Whether a person approved it';
COMMENT ON COLUMN prod_attr_synonyms.created_at IS 'When the row was created here';

-- prod_embeddings ---------------------------------------------------------------------------------

CREATE TABLE prod_embeddings (
    id             UUID         DEFAULT uuidv7() PRIMARY KEY,
    product_id     UUID         NOT NULL REFERENCES prod_master (id),
    embedding_type VARCHAR(50)  NOT NULL,
    embedding      VECTOR(1536) NOT NULL,
    content_hash   VARCHAR(64)  NOT NULL,
    model_version  VARCHAR(50)  NOT NULL,
    dimensions     INTEGER      DEFAULT 1536,
    created_at     TIMESTAMPTZ  DEFAULT now(),
    -- the same text is never embedded twice
    CONSTRAINT prod_embeddings_content_key UNIQUE (product_id, embedding_type, model_version)
);

CREATE INDEX idx_embeddings_product ON prod_embeddings (product_id);
CREATE INDEX idx_embeddings_type ON prod_embeddings (product_id, embedding_type);
CREATE INDEX idx_embeddings_vector ON prod_embeddings USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);
CREATE INDEX idx_embeddings_product_current ON prod_embeddings (product_id)
    WHERE embedding_type = 'combined';

COMMENT ON TABLE prod_embeddings IS
    'Vectors of golden records (global).';
COMMENT ON COLUMN prod_embeddings.id IS 'Primary key';
COMMENT ON COLUMN prod_embeddings.product_id IS 'The golden record it is about';
COMMENT ON COLUMN prod_embeddings.embedding_type IS 'title/description/specs/combined';
COMMENT ON COLUMN prod_embeddings.embedding IS 'Vector of the content';
COMMENT ON COLUMN prod_embeddings.content_hash IS 'Source content hash';
COMMENT ON COLUMN prod_embeddings.model_version IS 'text-embedding-3-small';
COMMENT ON COLUMN prod_embeddings.dimensions IS 'Number of dimensions that the model gave';
COMMENT ON COLUMN prod_embeddings.created_at IS 'When the row was created here';

-- shop_product_embeddings -------------------------------------------------------------------------

CREATE TABLE shop_product_embeddings (
    id             UUID         DEFAULT uuidv7() PRIMARY KEY,
    shop_id        UUID         NOT NULL REFERENCES shops (id),
    product_id     UUID         NOT NULL REFERENCES shopify_products (id),
    embedding_type VARCHAR(50)  NOT NULL,
    embedding      VECTOR(1536) NOT NULL,
    content_hash   VARCHAR(64)  NOT NULL,
    model_version  VARCHAR(50)  NOT NULL,
    dimensions     INTEGER      DEFAULT 1536,
    status         VARCHAR(20)  DEFAULT 'pending',
    error_message  TEXT,
    generated_at   TIMESTAMPTZ,
    created_at     TIMESTAMPTZ  DEFAULT now(),
    updated_at     TIMESTAMPTZ  DEFAULT now()
);

CREATE UNIQUE INDEX idx_shop_embeddings_product ON shop_product_embeddings
    (shop_id, product_id, embedding_type, model_version);
CREATE INDEX idx_shop_embeddings_hash ON shop_product_embeddings (shop_id, content_hash);
CREATE INDEX idx_shop_embeddings_pending ON shop_product_embeddings (shop_id, status)
    WHERE status = 'pending';
CREATE INDEX idx_shop_embeddings_vector ON shop_product_embeddings USING hnsw (embedding vector_cosine_ops)
    WITH (m = 24, ef_construction = 128);

COMMENT ON TABLE shop_product_embeddings IS
    'Vectors of a shop''s products (per tenant).';
COMMENT ON COLUMN shop_product_embeddings.id IS 'Primary key';
COMMENT ON COLUMN shop_product_embeddings.shop_id IS 'Tenant isolation';
COMMENT ON COLUMN shop_product_embeddings.product_id IS 'Shop product ref';
COMMENT ON COLUMN shop_product_embeddings.embedding_type IS 'title/description/combined';
COMMENT ON COLUMN shop_product_embeddings.embedding IS 'OpenAI embedding';
COMMENT ON COLUMN shop_product_embeddings.content_hash IS 'For change detection';
COMMENT ON COLUMN shop_product_embeddings.model_version IS 'text-embedding-3-small';
COMMENT ON COLUMN shop_product_embeddings.dimensions IS 'Number of dimensions that the model gave';
COMMENT ON COLUMN shop_product_embeddings.status IS 'pending/ready/failed';
COMMENT ON COLUMN shop_product_embeddings.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN shop_product_embeddings.generated_at IS 'When embedding was generated';
COMMENT ON COLUMN shop_product_embeddings.created_at IS 'When the row was created here';
COMMENT ON COLUMN shop_product_embeddings.updated_at IS 'When the row was last changed here';
