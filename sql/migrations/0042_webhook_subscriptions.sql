-- Webhook subscriptions are loaded: their staging table, and what the merge needs to know of a row beside the document's
-- columns: its lines' hash (0018), and when it was last taken and changed.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE shopify_webhooks ADD COLUMN synced_at TIMESTAMPTZ DEFAULT now();
ALTER TABLE shopify_webhooks ADD COLUMN updated_at TIMESTAMPTZ DEFAULT now();
ALTER TABLE shopify_webhooks ADD COLUMN fingerprint BIGINT;
COMMENT ON COLUMN shopify_webhooks.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_webhooks.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN shopify_webhooks.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';
CREATE TRIGGER shopify_webhooks_fingerprint BEFORE UPDATE ON shopify_webhooks
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();

CREATE UNLOGGED TABLE pipeline.staging_webhooks (
    bulk_run_id          UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id              UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number          BIGINT,
    shopify_gid          VARCHAR(100) COLLATE "C",
    topic                VARCHAR(100),
    address              TEXT,
    format               VARCHAR(10),
    api_version          VARCHAR(20),
    include_fields       TEXT[],
    metafield_namespaces TEXT[],
    fingerprint          BIGINT,
    raw_data             JSONB COMPRESSION lz4,
    validation_status    VARCHAR(20)              DEFAULT 'pending',
    validation_errors    JSONB                    DEFAULT '[]',
    merge_status         VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_webhooks_run ON pipeline.staging_webhooks (bulk_run_id);

COMMENT ON TABLE pipeline.staging_webhooks IS
    'Webhook subscriptions of a run before they are merged into shopify_webhooks. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_webhooks.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_webhooks.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_webhooks.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_webhooks.shopify_gid IS 'gid://shopify/WebhookSubscription/123';
COMMENT ON COLUMN pipeline.staging_webhooks.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_webhooks.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_webhooks.validation_status IS 'pending/valid/invalid/older/duplicate';
COMMENT ON COLUMN pipeline.staging_webhooks.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_webhooks.merge_status IS 'pending/merged/skipped/failed';

ALTER TABLE pipeline.staging_webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_webhooks_tenant_isolation ON pipeline.staging_webhooks
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

-- The loader fills staging, the tenant merges from it.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN ON pipeline.staging_webhooks TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_webhooks TO neanelu_tenant;
