-- Module F: AI batch processing.

SET LOCAL ROLE neanelu_owner;

-- ai_batches --------------------------------------------------------------------------------------

CREATE TABLE ai_batches (
    id                UUID          DEFAULT uuidv7() PRIMARY KEY,
    shop_id           UUID          REFERENCES shops (id),
    provider          VARCHAR(20)   NOT NULL,
    provider_batch_id VARCHAR(100),
    batch_type        VARCHAR(50)   NOT NULL,
    status            VARCHAR(20)   DEFAULT 'pending',
    request_count     INTEGER       DEFAULT 0 NOT NULL,
    completed_count   INTEGER       DEFAULT 0,
    error_count       INTEGER       DEFAULT 0,
    total_tokens      INTEGER       DEFAULT 0,
    estimated_cost    DECIMAL(10,4),
    submitted_at      TIMESTAMPTZ,
    completed_at      TIMESTAMPTZ,
    expires_at        TIMESTAMPTZ,
    error_message     TEXT,
    created_at        TIMESTAMPTZ   DEFAULT now(),
    updated_at        TIMESTAMPTZ   DEFAULT now()
);

CREATE INDEX idx_ai_batches_provider ON ai_batches (provider_batch_id);
CREATE INDEX idx_ai_batches_status ON ai_batches (status);
CREATE INDEX idx_ai_batches_shop ON ai_batches (shop_id);

COMMENT ON TABLE ai_batches IS
    'Batches sent to AI providers.';
COMMENT ON COLUMN ai_batches.id IS 'Primary key';
COMMENT ON COLUMN ai_batches.shop_id IS 'Optional shop scope';
COMMENT ON COLUMN ai_batches.provider IS 'openai/anthropic';
COMMENT ON COLUMN ai_batches.provider_batch_id IS 'External batch ID';
COMMENT ON COLUMN ai_batches.batch_type IS 'embedding/extraction/enrichment';
COMMENT ON COLUMN ai_batches.status IS 'pending/submitted/processing/completed/failed';
COMMENT ON COLUMN ai_batches.request_count IS 'Requests in the batch';
COMMENT ON COLUMN ai_batches.completed_count IS 'Requests that were answered';
COMMENT ON COLUMN ai_batches.error_count IS 'Requests that failed';
COMMENT ON COLUMN ai_batches.total_tokens IS 'Tokens consumed in all';
COMMENT ON COLUMN ai_batches.estimated_cost IS 'Estimated cost in USD';
COMMENT ON COLUMN ai_batches.submitted_at IS 'When it was submitted';
COMMENT ON COLUMN ai_batches.completed_at IS 'When it ended';
COMMENT ON COLUMN ai_batches.expires_at IS 'Result expiration';
COMMENT ON COLUMN ai_batches.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN ai_batches.created_at IS 'When the row was created here';
COMMENT ON COLUMN ai_batches.updated_at IS 'When the row was last changed here';

-- ai_batch_items ----------------------------------------------------------------------------------

CREATE TABLE ai_batch_items (
    id             UUID         DEFAULT uuidv7() PRIMARY KEY,
    batch_id       UUID         NOT NULL REFERENCES ai_batches (id),
    shop_id        UUID         REFERENCES shops (id),
    entity_type    VARCHAR(50)  NOT NULL,
    entity_id      UUID         NOT NULL,
    custom_id      VARCHAR(100),
    input_content  TEXT         NOT NULL,
    content_hash   VARCHAR(64)  NOT NULL,
    status         VARCHAR(20)  DEFAULT 'pending',
    output_content TEXT,
    tokens_used    INTEGER,
    error_message  TEXT,
    processed_at   TIMESTAMPTZ,
    created_at     TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_batch_items_batch ON ai_batch_items (batch_id);
CREATE INDEX idx_batch_items_entity ON ai_batch_items (entity_type, entity_id);
CREATE INDEX idx_batch_items_hash ON ai_batch_items (content_hash);
CREATE INDEX idx_batch_items_status ON ai_batch_items (batch_id, status);

COMMENT ON TABLE ai_batch_items IS
    'Requests of an AI batch and their answers.';
COMMENT ON COLUMN ai_batch_items.id IS 'Primary key';
COMMENT ON COLUMN ai_batch_items.batch_id IS 'The batch it belongs to';
COMMENT ON COLUMN ai_batch_items.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN ai_batch_items.entity_type IS 'product/harvest/spec';
COMMENT ON COLUMN ai_batch_items.entity_id IS 'Reference ID';
COMMENT ON COLUMN ai_batch_items.custom_id IS 'Provider custom ID';
COMMENT ON COLUMN ai_batch_items.input_content IS 'Request content';
COMMENT ON COLUMN ai_batch_items.content_hash IS 'Dedup hash';
COMMENT ON COLUMN ai_batch_items.status IS 'pending/processing/completed/failed';
COMMENT ON COLUMN ai_batch_items.output_content IS 'Response';
COMMENT ON COLUMN ai_batch_items.tokens_used IS 'Tokens consumed';
COMMENT ON COLUMN ai_batch_items.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN ai_batch_items.processed_at IS 'When it was processed';
COMMENT ON COLUMN ai_batch_items.created_at IS 'When the row was created here';

-- embedding_batches -------------------------------------------------------------------------------

CREATE TABLE embedding_batches (
    id              UUID          DEFAULT uuidv7() PRIMARY KEY,
    shop_id         UUID          REFERENCES shops (id),
    batch_type      VARCHAR(30)   NOT NULL
        CHECK (batch_type IN ('product_title', 'product_description', 'specs', 'combined', 'attribute')),
    status          VARCHAR(20)   DEFAULT 'pending' NOT NULL,
    openai_batch_id VARCHAR(100),
    input_file_id   VARCHAR(100),
    output_file_id  VARCHAR(100),
    error_file_id   VARCHAR(100),
    model           VARCHAR(50)   DEFAULT 'text-embedding-3-small' NOT NULL,
    dimensions      INTEGER       DEFAULT 1536 NOT NULL,
    total_items     INTEGER       DEFAULT 0 NOT NULL,
    completed_items INTEGER       DEFAULT 0,
    failed_items    INTEGER       DEFAULT 0,
    tokens_used     INTEGER       DEFAULT 0,
    estimated_cost  DECIMAL(10,4),
    submitted_at    TIMESTAMPTZ,
    completed_at    TIMESTAMPTZ,
    expires_at      TIMESTAMPTZ,
    error_message   TEXT,
    created_at      TIMESTAMPTZ   DEFAULT now(),
    updated_at      TIMESTAMPTZ   DEFAULT now()
);

CREATE INDEX idx_embedding_batches_shop ON embedding_batches (shop_id);
CREATE INDEX idx_embedding_batches_status ON embedding_batches (status);
CREATE INDEX idx_embedding_batches_openai ON embedding_batches (openai_batch_id)
    WHERE openai_batch_id IS NOT NULL;

COMMENT ON TABLE embedding_batches IS
    'Batches sent to the OpenAI Batch Embeddings API.';
COMMENT ON COLUMN embedding_batches.id IS 'Batch identifier';
COMMENT ON COLUMN embedding_batches.shop_id IS 'Optional shop scope';
COMMENT ON COLUMN embedding_batches.batch_type IS 'product_title/product_description/specs/combined/attribute';
COMMENT ON COLUMN embedding_batches.status IS 'pending/submitted/processing/completed/failed/cancelled';
COMMENT ON COLUMN embedding_batches.openai_batch_id IS 'External OpenAI batch ID';
COMMENT ON COLUMN embedding_batches.input_file_id IS 'OpenAI file ID for input';
COMMENT ON COLUMN embedding_batches.output_file_id IS 'OpenAI file ID for output';
COMMENT ON COLUMN embedding_batches.error_file_id IS 'OpenAI file ID for errors';
COMMENT ON COLUMN embedding_batches.model IS 'Embedding model';
COMMENT ON COLUMN embedding_batches.dimensions IS 'Vector dimensions';
COMMENT ON COLUMN embedding_batches.total_items IS 'Items in batch';
COMMENT ON COLUMN embedding_batches.completed_items IS 'Successfully completed';
COMMENT ON COLUMN embedding_batches.failed_items IS 'Failed items';
COMMENT ON COLUMN embedding_batches.tokens_used IS 'Total tokens consumed';
COMMENT ON COLUMN embedding_batches.estimated_cost IS 'USD cost estimate';
COMMENT ON COLUMN embedding_batches.submitted_at IS 'When submitted to OpenAI';
COMMENT ON COLUMN embedding_batches.completed_at IS 'When processing finished';
COMMENT ON COLUMN embedding_batches.expires_at IS 'OpenAI result expiration';
COMMENT ON COLUMN embedding_batches.error_message IS 'Error details if failed';
COMMENT ON COLUMN embedding_batches.created_at IS 'When the row was created here';
COMMENT ON COLUMN embedding_batches.updated_at IS 'When the row was last changed here';
