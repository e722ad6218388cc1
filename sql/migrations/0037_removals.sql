-- Nothing disappears from the mirror without a record of why, and what is gone does not come back with older news.

SET LOCAL ROLE neanelu_owner;

CREATE TABLE pipeline.removals (
    shop_id     UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid VARCHAR(100) COLLATE "C" NOT NULL,
    gone_at     TIMESTAMPTZ              NOT NULL,
    table_name  VARCHAR(63)              NOT NULL,
    reason      VARCHAR(20)              NOT NULL CHECK (reason IN ('snapshot', 'webhook', 'deletion_event')),
    told_by     TEXT                     NOT NULL,
    with_gid    VARCHAR(100) COLLATE "C",
    was_here    BOOLEAN                  NOT NULL,
    confirmed   BOOLEAN                  NOT NULL,
    bulk_run_id UUID                     REFERENCES bulk_runs (id),
    recorded_at TIMESTAMPTZ              NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shop_id, shopify_gid, gone_at)
);

CREATE INDEX idx_removals_run ON pipeline.removals (bulk_run_id);

COMMENT ON TABLE pipeline.removals IS
    'Rows that were removed from the mirror, and why. A load with older news of such a row does not bring it back.';
COMMENT ON COLUMN pipeline.removals.shop_id IS 'The shop that the row belonged to';
COMMENT ON COLUMN pipeline.removals.shopify_gid IS 'What was removed';
COMMENT ON COLUMN pipeline.removals.gone_at IS 'The moment, in the shop''s time, at which it was gone';
COMMENT ON COLUMN pipeline.removals.table_name IS 'The mirror table of the row';
COMMENT ON COLUMN pipeline.removals.reason IS 'snapshot: a whole export did not hold it; webhook, deletion_event: Shopify said so';
COMMENT ON COLUMN pipeline.removals.told_by IS 'What said so, in words';
COMMENT ON COLUMN pipeline.removals.with_gid IS 'The row that it stood under and went with; NULL = itself was the one';
COMMENT ON COLUMN pipeline.removals.was_here IS 'Whether the mirror had it';
COMMENT ON COLUMN pipeline.removals.confirmed IS 'Whether Shopify itself said that it is gone';
COMMENT ON COLUMN pipeline.removals.bulk_run_id IS 'The run of the ledger in which it was removed';
COMMENT ON COLUMN pipeline.removals.recorded_at IS 'When the row was removed here';

ALTER TABLE pipeline.removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.removals FORCE ROW LEVEL SECURITY;
CREATE POLICY removals_tenant_isolation ON pipeline.removals
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON pipeline.removals TO neanelu_pipeline;
GRANT SELECT, INSERT ON pipeline.removals TO neanelu_tenant;

-- The ledger is only ever appended to: its entries outlive the variant that they tell of.
ALTER TABLE inventory_ledger DROP CONSTRAINT IF EXISTS inventory_ledger_variant_id_fkey;
