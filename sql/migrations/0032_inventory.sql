-- Inventory is loaded: items, and what each location has of them. The document has no table for either: it keeps a
-- variant's sum over all locations, and the ledger of changes, which needs to know what there was before.

SET LOCAL ROLE neanelu_owner;

-- inventory items ---------------------------------------------------------------------------------

CREATE TABLE pipeline.inventory_items (
    id                      UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id                 UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid             VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id      BIGINT                   NOT NULL,
    sku                     VARCHAR(255),
    tracked                 BOOLEAN,
    requires_shipping       BOOLEAN,
    country_code_of_origin  VARCHAR(2),
    harmonized_system_code  VARCHAR(20),
    unit_cost               DECIMAL(12,2),
    unit_cost_currency      VARCHAR(3),
    created_at_shopify      TIMESTAMPTZ,
    updated_at_shopify      TIMESTAMPTZ,
    synced_at               TIMESTAMPTZ              DEFAULT now(),
    created_at              TIMESTAMPTZ              DEFAULT now(),
    updated_at              TIMESTAMPTZ              DEFAULT now(),
    fingerprint             BIGINT
);

CREATE UNIQUE INDEX idx_inventory_items_shop_gid ON pipeline.inventory_items (shop_id, shopify_gid);

COMMENT ON TABLE pipeline.inventory_items IS
    'Mirror of a shop''s inventory items: what a variant is as goods in stock.';
COMMENT ON COLUMN pipeline.inventory_items.id IS 'Primary key';
COMMENT ON COLUMN pipeline.inventory_items.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.inventory_items.shopify_gid IS 'gid://shopify/InventoryItem/123';
COMMENT ON COLUMN pipeline.inventory_items.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN pipeline.inventory_items.tracked IS 'Whether Shopify counts it';
COMMENT ON COLUMN pipeline.inventory_items.unit_cost IS 'What one costs the merchant';
COMMENT ON COLUMN pipeline.inventory_items.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN pipeline.inventory_items.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

-- inventory levels --------------------------------------------------------------------------------

CREATE TABLE pipeline.inventory_levels (
    id                 UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id            UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid        VARCHAR(100) COLLATE "C" NOT NULL,
    inventory_item_gid VARCHAR(100) COLLATE "C" NOT NULL,
    location_gid       VARCHAR(100) COLLATE "C" NOT NULL,
    variant_id         UUID                     REFERENCES shopify_variants (id) ON DELETE CASCADE,
    available          INTEGER,
    on_hand            INTEGER,
    committed          INTEGER,
    incoming           INTEGER,
    reserved           INTEGER,
    damaged            INTEGER,
    quality_control    INTEGER,
    safety_stock       INTEGER,
    webhook_key        VARCHAR(255),
    created_at_shopify TIMESTAMPTZ,
    updated_at_shopify TIMESTAMPTZ,
    synced_at          TIMESTAMPTZ              DEFAULT now(),
    created_at         TIMESTAMPTZ              DEFAULT now(),
    updated_at         TIMESTAMPTZ              DEFAULT now(),
    fingerprint        BIGINT
);

CREATE UNIQUE INDEX idx_inventory_levels_shop_gid ON pipeline.inventory_levels (shop_id, shopify_gid);
CREATE INDEX idx_inventory_levels_item ON pipeline.inventory_levels (shop_id, inventory_item_gid);
CREATE INDEX idx_inventory_levels_variant ON pipeline.inventory_levels (variant_id);

COMMENT ON TABLE pipeline.inventory_levels IS
    'Mirror of a shop''s inventory levels: how many of an item are at a location now. Every change of an available '
    'quantity becomes an entry of inventory_ledger, by a trigger.';
COMMENT ON COLUMN pipeline.inventory_levels.id IS 'Primary key';
COMMENT ON COLUMN pipeline.inventory_levels.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.inventory_levels.shopify_gid IS
    'gid://shopify/InventoryLevel/123?inventory_item_id=456; the number alone is not unique';
COMMENT ON COLUMN pipeline.inventory_levels.inventory_item_gid IS 'gid://shopify/InventoryItem/456';
COMMENT ON COLUMN pipeline.inventory_levels.location_gid IS 'gid://shopify/Location/789';
COMMENT ON COLUMN pipeline.inventory_levels.variant_id IS
    'The variant of that item; NULL until the mirror has it: then the ledger says nothing of the level';
COMMENT ON COLUMN pipeline.inventory_levels.available IS 'Can be sold; NULL where Shopify does not count it';
COMMENT ON COLUMN pipeline.inventory_levels.on_hand IS 'Physically there';
COMMENT ON COLUMN pipeline.inventory_levels.committed IS 'Promised to orders';
COMMENT ON COLUMN pipeline.inventory_levels.incoming IS 'On its way';
COMMENT ON COLUMN pipeline.inventory_levels.webhook_key IS
    'The key of the last webhook that said what is here; loads of exports leave it';
COMMENT ON COLUMN pipeline.inventory_levels.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN pipeline.inventory_levels.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

-- A level names its item; which variant that is, the merge looks up.
CREATE INDEX idx_variants_inventory_item ON shopify_variants (shop_id, inventory_item_id COLLATE "C")
    WHERE inventory_item_id IS NOT NULL;

-- staging -----------------------------------------------------------------------------------------

CREATE UNLOGGED TABLE pipeline.staging_inventory_items (
    bulk_run_id             UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id                 UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number             BIGINT,
    shopify_gid             VARCHAR(100) COLLATE "C",
    legacy_resource_id      BIGINT,
    sku                     VARCHAR(255),
    tracked                 BOOLEAN,
    requires_shipping       BOOLEAN,
    country_code_of_origin  VARCHAR(2),
    harmonized_system_code  VARCHAR(20),
    unit_cost               DECIMAL(12,2),
    unit_cost_currency      VARCHAR(3),
    created_at_shopify      TIMESTAMPTZ,
    updated_at_shopify      TIMESTAMPTZ,
    fingerprint             BIGINT,
    raw_data                JSONB COMPRESSION lz4,
    validation_status       VARCHAR(20)              DEFAULT 'pending',
    validation_errors       JSONB                    DEFAULT '[]',
    merge_status            VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_inventory_items_run ON pipeline.staging_inventory_items (bulk_run_id);

CREATE UNLOGGED TABLE pipeline.staging_inventory_levels (
    bulk_run_id        UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id            UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number        BIGINT,
    shopify_gid        VARCHAR(100) COLLATE "C",
    inventory_item_gid VARCHAR(100) COLLATE "C",
    location_gid       VARCHAR(100) COLLATE "C",
    available          INTEGER,
    on_hand            INTEGER,
    committed          INTEGER,
    incoming           INTEGER,
    reserved           INTEGER,
    damaged            INTEGER,
    quality_control    INTEGER,
    safety_stock       INTEGER,
    webhook_key        VARCHAR(255),
    created_at_shopify TIMESTAMPTZ,
    updated_at_shopify TIMESTAMPTZ,
    fingerprint        BIGINT,
    raw_data           JSONB COMPRESSION lz4,
    validation_status  VARCHAR(20)              DEFAULT 'pending',
    validation_errors  JSONB                    DEFAULT '[]',
    merge_status       VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_inventory_levels_run ON pipeline.staging_inventory_levels (bulk_run_id);

COMMENT ON TABLE pipeline.staging_inventory_items IS
    'Inventory items of a bulk run before they are merged into pipeline.inventory_items. Unlogged: empty after a crash.';
COMMENT ON TABLE pipeline.staging_inventory_levels IS
    'Inventory levels of a bulk run before they are merged into pipeline.inventory_levels. Unlogged: empty after a crash.';

-- who may do what -----------------------------------------------------------------------------------

ALTER TABLE pipeline.inventory_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.inventory_items FORCE ROW LEVEL SECURITY;
CREATE POLICY inventory_items_tenant_isolation ON pipeline.inventory_items
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
ALTER TABLE pipeline.inventory_levels ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.inventory_levels FORCE ROW LEVEL SECURITY;
CREATE POLICY inventory_levels_tenant_isolation ON pipeline.inventory_levels
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
ALTER TABLE pipeline.staging_inventory_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_inventory_items FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_inventory_items_tenant_isolation ON pipeline.staging_inventory_items
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));
ALTER TABLE pipeline.staging_inventory_levels ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.staging_inventory_levels FORCE ROW LEVEL SECURITY;
CREATE POLICY staging_inventory_levels_tenant_isolation ON pipeline.staging_inventory_levels
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON pipeline.inventory_items, pipeline.inventory_levels
    TO neanelu_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline.inventory_items, pipeline.inventory_levels TO neanelu_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, MAINTAIN
    ON pipeline.staging_inventory_items, pipeline.staging_inventory_levels TO neanelu_pipeline;
GRANT SELECT, UPDATE, DELETE ON pipeline.staging_inventory_items, pipeline.staging_inventory_levels TO neanelu_tenant;

-- fingerprints, as products have them (0018) ----------------------------------------------------------

CREATE TRIGGER inventory_items_fingerprint BEFORE UPDATE ON pipeline.inventory_items
    FOR EACH ROW WHEN (NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_fingerprint();
-- A level whose variant is not there, or goes, is looked at again by every load, whoever took the variant away.
CREATE TRIGGER inventory_levels_fingerprint BEFORE UPDATE ON pipeline.inventory_levels
    FOR EACH ROW WHEN (
        NEW.fingerprint = OLD.fingerprint AND current_setting('app.mirror_merge', true) IS DISTINCT FROM 'on'
        OR NEW.variant_id IS NULL AND NEW.fingerprint IS NOT NULL
    )
    EXECUTE FUNCTION forget_fingerprint();
