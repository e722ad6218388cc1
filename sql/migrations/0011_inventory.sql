-- Module I: the inventory ledger. inventory_current follows with the other materialized views.

SET LOCAL ROLE neanelu_owner;

-- inventory_locations -----------------------------------------------------------------------------

CREATE TABLE inventory_locations (
    id                     UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id                UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid            VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id     BIGINT,
    name                   VARCHAR(255)             NOT NULL,
    address                JSONB,
    is_active              BOOLEAN                  DEFAULT true,
    is_primary             BOOLEAN                  DEFAULT false,
    fulfills_online_orders BOOLEAN                  DEFAULT true,
    synced_at              TIMESTAMPTZ              DEFAULT now(),
    created_at             TIMESTAMPTZ              DEFAULT now(),
    updated_at             TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_locations_shop_gid ON inventory_locations (shop_id, shopify_gid);
CREATE INDEX idx_locations_shop_active ON inventory_locations (shop_id, is_active);

COMMENT ON TABLE inventory_locations IS
    'Mirror of a shop''s locations.';
COMMENT ON COLUMN inventory_locations.id IS 'Primary key';
COMMENT ON COLUMN inventory_locations.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN inventory_locations.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN inventory_locations.legacy_resource_id IS 'Shopify''s numeric ID';
COMMENT ON COLUMN inventory_locations.name IS 'Location name';
COMMENT ON COLUMN inventory_locations.address IS 'Full address object';
COMMENT ON COLUMN inventory_locations.is_active IS 'Whether it is in use';
COMMENT ON COLUMN inventory_locations.is_primary IS 'Default fulfillment';
COMMENT ON COLUMN inventory_locations.fulfills_online_orders IS 'Whether online orders ship from here';
COMMENT ON COLUMN inventory_locations.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN inventory_locations.created_at IS 'When the row was created here';
COMMENT ON COLUMN inventory_locations.updated_at IS 'When the row was last changed here';

-- inventory_ledger --------------------------------------------------------------------------------

CREATE TABLE inventory_ledger (
    id                UUID          DEFAULT uuidv7(),
    shop_id           UUID          NOT NULL REFERENCES shops (id),
    variant_id        UUID          NOT NULL REFERENCES shopify_variants (id),
    sku               VARCHAR(255),
    location_id       VARCHAR(100),
    delta             INTEGER       NOT NULL,
    reason            VARCHAR(50)   NOT NULL,
    reference_type    VARCHAR(50),
    reference_id      VARCHAR(255),
    previous_quantity INTEGER,
    new_quantity      INTEGER,
    cost_per_unit     DECIMAL(12,2),
    recorded_at       TIMESTAMPTZ   DEFAULT now() NOT NULL,
    created_at        TIMESTAMPTZ   DEFAULT now(),
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX idx_ledger_variant ON inventory_ledger (variant_id, recorded_at DESC);
CREATE INDEX idx_ledger_shop_sku ON inventory_ledger (shop_id, sku, recorded_at DESC);
CREATE INDEX idx_ledger_location ON inventory_ledger (location_id, recorded_at DESC);
CREATE INDEX idx_ledger_reference ON inventory_ledger (reference_type, reference_id);
CREATE INDEX idx_ledger_reason ON inventory_ledger (shop_id, reason, recorded_at DESC);
CREATE INDEX idx_ledger_shop_variant_date ON inventory_ledger (shop_id, variant_id, recorded_at DESC);

COMMENT ON TABLE inventory_ledger IS
    'Append-only ledger of inventory changes. Monthly partitions by recorded_at.';
COMMENT ON COLUMN inventory_ledger.id IS 'Entry ID';
COMMENT ON COLUMN inventory_ledger.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN inventory_ledger.variant_id IS 'The variant whose stock changed';
COMMENT ON COLUMN inventory_ledger.sku IS 'Denormalized for queries';
COMMENT ON COLUMN inventory_ledger.location_id IS 'Shopify location GID';
COMMENT ON COLUMN inventory_ledger.delta IS '+/- quantity change';
COMMENT ON COLUMN inventory_ledger.reason IS 'SALE/RESTOCK/ADJUSTMENT/RETURN/SYNC/TRANSFER';
COMMENT ON COLUMN inventory_ledger.reference_type IS 'order/transfer/bulk_run';
COMMENT ON COLUMN inventory_ledger.reference_id IS 'Order ID, sync run ID, etc.';
COMMENT ON COLUMN inventory_ledger.previous_quantity IS 'Quantity before change';
COMMENT ON COLUMN inventory_ledger.new_quantity IS 'Quantity after change';
COMMENT ON COLUMN inventory_ledger.cost_per_unit IS 'Unit cost at time of change';
COMMENT ON COLUMN inventory_ledger.recorded_at IS 'Business timestamp';
COMMENT ON COLUMN inventory_ledger.created_at IS 'System timestamp';
