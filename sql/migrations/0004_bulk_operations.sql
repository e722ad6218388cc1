-- Module C: bulk operations and staging.

SET LOCAL ROLE neanelu_owner;

-- bulk_runs ---------------------------------------------------------------------------------------

CREATE TABLE bulk_runs (
    id                   UUID         DEFAULT uuidv7() PRIMARY KEY,
    shop_id              UUID         NOT NULL REFERENCES shops (id),
    operation_type       VARCHAR(50)  NOT NULL,
    query_type           VARCHAR(50),
    status               VARCHAR(20)  DEFAULT 'pending' NOT NULL,
    shopify_operation_id VARCHAR(100),
    api_version          VARCHAR(20),
    polling_url          TEXT,
    result_url           TEXT,
    idempotency_key      VARCHAR(100) CONSTRAINT idx_bulk_runs_idempotency UNIQUE,
    cursor_state         JSONB,
    started_at           TIMESTAMPTZ,
    completed_at         TIMESTAMPTZ,
    records_processed    INTEGER      DEFAULT 0,
    bytes_processed      BIGINT       DEFAULT 0,
    error_message        TEXT,
    retry_count          INTEGER      DEFAULT 0,
    max_retries          INTEGER      DEFAULT 3,
    created_at           TIMESTAMPTZ  DEFAULT now(),
    updated_at           TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_bulk_runs_shop_status ON bulk_runs (shop_id, status);
CREATE INDEX idx_bulk_runs_shopify_op ON bulk_runs (shopify_operation_id);

COMMENT ON TABLE bulk_runs IS
    'Bulk operations: one row per run.';
COMMENT ON COLUMN bulk_runs.id IS 'Primary key';
COMMENT ON COLUMN bulk_runs.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN bulk_runs.operation_type IS 'PRODUCTS_EXPORT/ORDERS_EXPORT';
COMMENT ON COLUMN bulk_runs.query_type IS 'GraphQL query type';
COMMENT ON COLUMN bulk_runs.status IS 'pending/running/completed/failed';
COMMENT ON COLUMN bulk_runs.shopify_operation_id IS 'Shopify bulk op GID';
COMMENT ON COLUMN bulk_runs.api_version IS 'Shopify API version used';
COMMENT ON COLUMN bulk_runs.polling_url IS 'Bulk operation status URL';
COMMENT ON COLUMN bulk_runs.result_url IS 'Signed JSONL download URL (TTL 7d)';
COMMENT ON COLUMN bulk_runs.idempotency_key IS 'Prevent duplicates';
COMMENT ON COLUMN bulk_runs.cursor_state IS 'Pagination state';
COMMENT ON COLUMN bulk_runs.started_at IS 'When it began';
COMMENT ON COLUMN bulk_runs.completed_at IS 'When it ended';
COMMENT ON COLUMN bulk_runs.records_processed IS 'Records processed so far';
COMMENT ON COLUMN bulk_runs.bytes_processed IS 'Bytes read so far';
COMMENT ON COLUMN bulk_runs.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN bulk_runs.retry_count IS 'Retries so far';
COMMENT ON COLUMN bulk_runs.max_retries IS 'Retries before it is given up';
COMMENT ON COLUMN bulk_runs.created_at IS 'When the row was created here';
COMMENT ON COLUMN bulk_runs.updated_at IS 'When the row was last changed here';

-- bulk_steps --------------------------------------------------------------------------------------

CREATE TABLE bulk_steps (
    id                UUID         DEFAULT uuidv7() PRIMARY KEY,
    bulk_run_id       UUID         NOT NULL REFERENCES bulk_runs (id),
    shop_id           UUID         NOT NULL REFERENCES shops (id),
    step_name         VARCHAR(100) NOT NULL,
    status            VARCHAR(20)  DEFAULT 'pending' NOT NULL,
    started_at        TIMESTAMPTZ,
    completed_at      TIMESTAMPTZ,
    records_processed INTEGER      DEFAULT 0,
    error_message     TEXT,
    metadata          JSONB        DEFAULT '{}',
    created_at        TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_bulk_steps_run ON bulk_steps (bulk_run_id);
CREATE INDEX idx_bulk_steps_status ON bulk_steps (shop_id, status);

COMMENT ON TABLE bulk_steps IS
    'Steps of a bulk run, with counts and times.';
COMMENT ON COLUMN bulk_steps.id IS 'Primary key';
COMMENT ON COLUMN bulk_steps.bulk_run_id IS 'The bulk run it belongs to';
COMMENT ON COLUMN bulk_steps.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN bulk_steps.step_name IS 'download/parse/upsert';
COMMENT ON COLUMN bulk_steps.status IS 'pending/running/completed/failed';
COMMENT ON COLUMN bulk_steps.started_at IS 'When it began';
COMMENT ON COLUMN bulk_steps.completed_at IS 'When it ended';
COMMENT ON COLUMN bulk_steps.records_processed IS 'Records processed so far';
COMMENT ON COLUMN bulk_steps.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN bulk_steps.metadata IS 'Counts by kind of node, bytes and times';
COMMENT ON COLUMN bulk_steps.created_at IS 'When the row was created here';

-- bulk_artifacts ----------------------------------------------------------------------------------

CREATE TABLE bulk_artifacts (
    id            UUID        DEFAULT uuidv7() PRIMARY KEY,
    bulk_run_id   UUID        NOT NULL REFERENCES bulk_runs (id),
    shop_id       UUID        NOT NULL REFERENCES shops (id),
    artifact_type VARCHAR(50) NOT NULL,
    file_path     TEXT        NOT NULL,
    url           TEXT,
    bytes_size    BIGINT,
    rows_count    INTEGER,
    checksum      VARCHAR(64),
    expires_at    TIMESTAMPTZ,
    created_at    TIMESTAMPTZ DEFAULT now()
);

COMMENT ON TABLE bulk_artifacts IS
    'Files of a bulk run: size, rows, checksum.';
COMMENT ON COLUMN bulk_artifacts.id IS 'Primary key';
COMMENT ON COLUMN bulk_artifacts.bulk_run_id IS 'The bulk run it belongs to';
COMMENT ON COLUMN bulk_artifacts.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN bulk_artifacts.artifact_type IS 'jsonl/csv';
COMMENT ON COLUMN bulk_artifacts.file_path IS 'Where the artifact is kept (a path or URL of the artifact store)';
COMMENT ON COLUMN bulk_artifacts.url IS 'Shopify download URL';
COMMENT ON COLUMN bulk_artifacts.bytes_size IS 'Size in bytes';
COMMENT ON COLUMN bulk_artifacts.rows_count IS 'Number of lines';
COMMENT ON COLUMN bulk_artifacts.checksum IS 'SHA256';
COMMENT ON COLUMN bulk_artifacts.expires_at IS 'URL expiration';
COMMENT ON COLUMN bulk_artifacts.created_at IS 'When the row was created here';

-- bulk_errors -------------------------------------------------------------------------------------

CREATE TABLE bulk_errors (
    id            UUID                  DEFAULT uuidv7() PRIMARY KEY,
    bulk_run_id   UUID                  NOT NULL REFERENCES bulk_runs (id),
    shop_id       UUID                  NOT NULL REFERENCES shops (id),
    error_type    VARCHAR(50)           NOT NULL,
    error_code    VARCHAR(50),
    error_message TEXT                  NOT NULL,
    line_number   INTEGER,
    payload       JSONB COMPRESSION lz4,
    created_at    TIMESTAMPTZ           DEFAULT now()
);

CREATE INDEX idx_bulk_errors_run ON bulk_errors (bulk_run_id);
CREATE INDEX idx_bulk_errors_type ON bulk_errors (shop_id, error_type);

COMMENT ON TABLE bulk_errors IS
    'Lines and records of a bulk run that were rejected, and why.';
COMMENT ON COLUMN bulk_errors.id IS 'Primary key';
COMMENT ON COLUMN bulk_errors.bulk_run_id IS 'The bulk run it belongs to';
COMMENT ON COLUMN bulk_errors.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN bulk_errors.error_type IS 'PARSE/VALIDATION/DB';
COMMENT ON COLUMN bulk_errors.error_code IS 'Reason as a code';
COMMENT ON COLUMN bulk_errors.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN bulk_errors.line_number IS 'JSONL line';
COMMENT ON COLUMN bulk_errors.payload IS 'Failed record';
COMMENT ON COLUMN bulk_errors.created_at IS 'When the row was created here';

-- staging_products --------------------------------------------------------------------------------

CREATE UNLOGGED TABLE staging_products (
    id                        UUID                     DEFAULT uuidv7() PRIMARY KEY,
    bulk_run_id               UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id                   UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number               BIGINT,
    shopify_gid               VARCHAR(100) COLLATE "C",
    legacy_resource_id        BIGINT,
    title                     TEXT,
    handle                    VARCHAR(255),
    description               TEXT COMPRESSION lz4,
    description_html          TEXT COMPRESSION lz4,
    vendor                    VARCHAR(255),
    product_type              VARCHAR(255),
    status                    VARCHAR(20),
    tags                      TEXT[]                   DEFAULT '{}',
    options                   JSONB                    DEFAULT '[]',
    seo                       JSONB,
    metafields                JSONB COMPRESSION lz4    DEFAULT '{}',
    is_gift_card              BOOLEAN,
    has_only_default_variant  BOOLEAN,
    has_out_of_stock_variants BOOLEAN,
    requires_selling_plan     BOOLEAN,
    price_range               JSONB,
    compare_at_price_range    JSONB,
    featured_image_url        TEXT,
    template_suffix           VARCHAR(100),
    category_id               VARCHAR(100),
    published_at              TIMESTAMPTZ,
    created_at_shopify        TIMESTAMPTZ,
    updated_at_shopify        TIMESTAMPTZ,
    fingerprint               BIGINT,
    raw_data                  JSONB COMPRESSION lz4,
    imported_at               TIMESTAMPTZ              DEFAULT now(),
    validation_status         VARCHAR(20)              DEFAULT 'pending',
    validation_errors         JSONB                    DEFAULT '[]',
    merge_status              VARCHAR(20)              DEFAULT 'pending',
    merged_at                 TIMESTAMPTZ,
    target_product_id         UUID
);

CREATE INDEX idx_staging_products_run ON staging_products (bulk_run_id);
CREATE INDEX idx_staging_products_validation ON staging_products (bulk_run_id, validation_status);
CREATE INDEX idx_staging_products_merge ON staging_products (bulk_run_id, merge_status);
CREATE INDEX idx_staging_products_gid ON staging_products (shop_id, shopify_gid);

COMMENT ON TABLE staging_products IS
    'Products of a bulk run before they are merged into shopify_products. Unlogged: empty after a crash.';
COMMENT ON COLUMN staging_products.id IS 'Staging record ID';
COMMENT ON COLUMN staging_products.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN staging_products.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN staging_products.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN staging_products.shopify_gid IS 'gid://shopify/Product/123';
COMMENT ON COLUMN staging_products.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN staging_products.title IS 'Product title';
COMMENT ON COLUMN staging_products.handle IS 'URL handle';
COMMENT ON COLUMN staging_products.description IS 'Plain text';
COMMENT ON COLUMN staging_products.description_html IS 'HTML description';
COMMENT ON COLUMN staging_products.vendor IS 'Brand/Vendor';
COMMENT ON COLUMN staging_products.product_type IS 'Product type';
COMMENT ON COLUMN staging_products.status IS 'ACTIVE/DRAFT/ARCHIVED/UNLISTED';
COMMENT ON COLUMN staging_products.tags IS 'Tags';
COMMENT ON COLUMN staging_products.options IS '[{name,position,values}]';
COMMENT ON COLUMN staging_products.seo IS '{title,description}';
COMMENT ON COLUMN staging_products.metafields IS 'Metafields as {namespace.key: {type, value}}';
COMMENT ON COLUMN staging_products.is_gift_card IS 'Whether it is a gift card';
COMMENT ON COLUMN staging_products.has_only_default_variant IS 'Whether the only variant is the default one';
COMMENT ON COLUMN staging_products.has_out_of_stock_variants IS 'Whether a variant is out of stock';
COMMENT ON COLUMN staging_products.requires_selling_plan IS 'Subscription only';
COMMENT ON COLUMN staging_products.price_range IS '{min,max,currency}';
COMMENT ON COLUMN staging_products.compare_at_price_range IS '{min,max,currency}';
COMMENT ON COLUMN staging_products.featured_image_url IS 'Primary image URL';
COMMENT ON COLUMN staging_products.template_suffix IS 'Theme template';
COMMENT ON COLUMN staging_products.category_id IS 'Shopify taxonomy ID';
COMMENT ON COLUMN staging_products.published_at IS 'Publish date';
COMMENT ON COLUMN staging_products.created_at_shopify IS 'Shopify created';
COMMENT ON COLUMN staging_products.updated_at_shopify IS 'Shopify updated';
COMMENT ON COLUMN staging_products.fingerprint IS 'Hash of the Shopify lines that the row was made from';
COMMENT ON COLUMN staging_products.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN staging_products.imported_at IS 'When the row was staged';
COMMENT ON COLUMN staging_products.validation_status IS 'pending/valid/invalid';
COMMENT ON COLUMN staging_products.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN staging_products.merge_status IS 'pending/merged/skipped/failed';
COMMENT ON COLUMN staging_products.merged_at IS 'When it was merged';
COMMENT ON COLUMN staging_products.target_product_id IS 'The row of shopify_products after the merge';

-- staging_variants --------------------------------------------------------------------------------

CREATE UNLOGGED TABLE staging_variants (
    id                  UUID                     DEFAULT uuidv7() PRIMARY KEY,
    bulk_run_id         UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id             UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number         BIGINT,
    staging_product_id  UUID                     REFERENCES staging_products (id) NOT ENFORCED,
    product_gid         VARCHAR(100) COLLATE "C",
    shopify_gid         VARCHAR(100) COLLATE "C",
    legacy_resource_id  BIGINT,
    title               VARCHAR(255),
    sku                 VARCHAR(255),
    barcode             VARCHAR(100),
    price               DECIMAL(12,2),
    compare_at_price    DECIMAL(12,2),
    cost                DECIMAL(12,2),
    inventory_quantity  INTEGER,
    inventory_item_id   VARCHAR(100),
    weight              DECIMAL(10,4),
    weight_unit         VARCHAR(20),
    selected_options    JSONB                    DEFAULT '[]',
    metafields          JSONB COMPRESSION lz4    DEFAULT '{}',
    currency_code       VARCHAR(3),
    inventory_policy    VARCHAR(20),
    taxable             BOOLEAN,
    tax_code            VARCHAR(50),
    available_for_sale  BOOLEAN,
    requires_shipping   BOOLEAN,
    requires_components BOOLEAN,
    position            INTEGER,
    image_url           TEXT,
    created_at_shopify  TIMESTAMPTZ,
    updated_at_shopify  TIMESTAMPTZ,
    fingerprint         BIGINT,
    raw_data            JSONB COMPRESSION lz4,
    imported_at         TIMESTAMPTZ              DEFAULT now(),
    validation_status   VARCHAR(20)              DEFAULT 'pending',
    validation_errors   JSONB                    DEFAULT '[]',
    merge_status        VARCHAR(20)              DEFAULT 'pending',
    merged_at           TIMESTAMPTZ,
    target_variant_id   UUID
);

CREATE INDEX idx_staging_variants_run ON staging_variants (bulk_run_id);
CREATE INDEX idx_staging_variants_product ON staging_variants (staging_product_id);
CREATE INDEX idx_staging_variants_validation ON staging_variants (bulk_run_id, validation_status);
CREATE INDEX idx_staging_variants_gid ON staging_variants (shop_id, shopify_gid);

COMMENT ON TABLE staging_variants IS
    'Variants of a bulk run before they are merged into shopify_variants. Unlogged: empty after a crash.';
COMMENT ON COLUMN staging_variants.id IS 'Staging record ID';
COMMENT ON COLUMN staging_variants.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN staging_variants.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN staging_variants.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN staging_variants.staging_product_id IS 'Parent in staging';
COMMENT ON COLUMN staging_variants.product_gid IS 'GID of the product it is a variant of';
COMMENT ON COLUMN staging_variants.shopify_gid IS 'gid://shopify/ProductVariant/x';
COMMENT ON COLUMN staging_variants.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN staging_variants.title IS 'Variant title';
COMMENT ON COLUMN staging_variants.sku IS 'Stock keeping unit';
COMMENT ON COLUMN staging_variants.barcode IS 'UPC/EAN/ISBN';
COMMENT ON COLUMN staging_variants.price IS 'Price';
COMMENT ON COLUMN staging_variants.compare_at_price IS 'Price before the reduction; NULL when not on sale';
COMMENT ON COLUMN staging_variants.cost IS 'Unit cost';
COMMENT ON COLUMN staging_variants.inventory_quantity IS 'Quantity over all locations';
COMMENT ON COLUMN staging_variants.inventory_item_id IS 'Inventory item GID';
COMMENT ON COLUMN staging_variants.weight IS 'Weight, in weight_unit';
COMMENT ON COLUMN staging_variants.weight_unit IS 'Unit of the weight';
COMMENT ON COLUMN staging_variants.selected_options IS '[{name,value}]';
COMMENT ON COLUMN staging_variants.metafields IS 'Metafields as {namespace.key: {type, value}}';
COMMENT ON COLUMN staging_variants.currency_code IS 'Currency (ISO 4217)';
COMMENT ON COLUMN staging_variants.inventory_policy IS 'DENY/CONTINUE';
COMMENT ON COLUMN staging_variants.taxable IS 'Whether it is taxed';
COMMENT ON COLUMN staging_variants.tax_code IS 'Tax code';
COMMENT ON COLUMN staging_variants.available_for_sale IS 'Whether it can be bought now';
COMMENT ON COLUMN staging_variants.requires_shipping IS 'Whether it must be shipped';
COMMENT ON COLUMN staging_variants.requires_components IS 'Bundle variant';
COMMENT ON COLUMN staging_variants.position IS 'Sort order';
COMMENT ON COLUMN staging_variants.image_url IS 'Variant image';
COMMENT ON COLUMN staging_variants.created_at_shopify IS 'When it was created in Shopify';
COMMENT ON COLUMN staging_variants.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN staging_variants.fingerprint IS 'Hash of the Shopify lines that the row was made from';
COMMENT ON COLUMN staging_variants.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN staging_variants.imported_at IS 'When the row was staged';
COMMENT ON COLUMN staging_variants.validation_status IS 'pending/valid/invalid';
COMMENT ON COLUMN staging_variants.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN staging_variants.merge_status IS 'pending/merged/skipped/failed';
COMMENT ON COLUMN staging_variants.merged_at IS 'When it was merged';
COMMENT ON COLUMN staging_variants.target_variant_id IS 'The row of shopify_variants after the merge';

-- pipeline: the rest of staging ---------------------------------------------------------------------
-- Unlogged, filled by the loader alone with a run that it has just written: hence NOT ENFORCED, as in staging_*.

CREATE UNLOGGED TABLE pipeline.staging_media (
    bulk_run_id        UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id            UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number        BIGINT,
    shopify_gid        VARCHAR(100) COLLATE "C",
    legacy_resource_id BIGINT,
    media_type         VARCHAR(30),
    alt                TEXT,
    status             VARCHAR(20),
    mime_type          VARCHAR(100),
    file_size          BIGINT,
    width              INTEGER,
    height             INTEGER,
    duration           INTEGER,
    url                TEXT,
    preview_url        TEXT,
    sources            JSONB                    DEFAULT '[]',
    metadata           JSONB                    DEFAULT '{}',
    created_at_shopify TIMESTAMPTZ,
    fingerprint        BIGINT,
    raw_data           JSONB COMPRESSION lz4,
    validation_status  VARCHAR(20)              DEFAULT 'pending',
    validation_errors  JSONB                    DEFAULT '[]',
    merge_status       VARCHAR(20)              DEFAULT 'pending'
);

CREATE INDEX idx_staging_media_run ON pipeline.staging_media (bulk_run_id);

COMMENT ON TABLE pipeline.staging_media IS
    'Media of a bulk run before they are merged into shopify_media. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_media.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_media.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_media.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_media.shopify_gid IS 'gid://shopify/MediaImage/123';
COMMENT ON COLUMN pipeline.staging_media.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_media.raw_data IS 'Original JSONL row';
COMMENT ON COLUMN pipeline.staging_media.validation_status IS 'pending/valid/invalid';
COMMENT ON COLUMN pipeline.staging_media.validation_errors IS '[{field, error, value}]';
COMMENT ON COLUMN pipeline.staging_media.merge_status IS 'pending/merged/skipped/failed';

CREATE UNLOGGED TABLE pipeline.staging_children (
    bulk_run_id       UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id           UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number       BIGINT,
    parent_table      TEXT COLLATE "C",
    parent_gid        VARCHAR(100) COLLATE "C",
    field             TEXT COLLATE "C",
    key               TEXT COLLATE "C",
    value             JSONB COMPRESSION lz4,
    fingerprint       BIGINT,
    validation_status VARCHAR(20)              DEFAULT 'pending',
    validation_errors JSONB                    DEFAULT '[]'
);

CREATE INDEX idx_staging_children_run ON pipeline.staging_children (bulk_run_id);

COMMENT ON TABLE pipeline.staging_children IS
    'Nodes that end up in a column of their parent (metafields), one row each. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_children.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_children.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_children.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_children.parent_table IS 'Mirror table of the parent';
COMMENT ON COLUMN pipeline.staging_children.parent_gid IS 'GID of the parent';
COMMENT ON COLUMN pipeline.staging_children.field IS 'Column of the parent that collects the nodes';
COMMENT ON COLUMN pipeline.staging_children.key IS 'Key of the node within that column';
COMMENT ON COLUMN pipeline.staging_children.value IS 'What stands under the key';
COMMENT ON COLUMN pipeline.staging_children.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_children.validation_status IS 'pending/valid/invalid';
COMMENT ON COLUMN pipeline.staging_children.validation_errors IS '[{field, error, value}]';

CREATE UNLOGGED TABLE pipeline.staging_links (
    bulk_run_id       UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id           UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number       BIGINT,
    link_table        TEXT COLLATE "C",
    parent_gid        VARCHAR(100) COLLATE "C",
    child_gid         VARCHAR(100) COLLATE "C",
    fingerprint       BIGINT,
    validation_status VARCHAR(20)              DEFAULT 'pending',
    validation_errors JSONB                    DEFAULT '[]'
);

CREATE INDEX idx_staging_links_run ON pipeline.staging_links (bulk_run_id);

COMMENT ON TABLE pipeline.staging_links IS
    'Which child stands under which parent (media of a product), one row each. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_links.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_links.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_links.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_links.link_table IS 'Mirror table of the link (shopify_product_media)';
COMMENT ON COLUMN pipeline.staging_links.parent_gid IS 'GID of the parent';
COMMENT ON COLUMN pipeline.staging_links.child_gid IS 'GID of the child';
COMMENT ON COLUMN pipeline.staging_links.fingerprint IS 'Hash of the Shopify line that the row was made from';
COMMENT ON COLUMN pipeline.staging_links.validation_status IS 'pending/valid/invalid';
COMMENT ON COLUMN pipeline.staging_links.validation_errors IS '[{field, error, value}]';

CREATE UNLOGGED TABLE pipeline.staging_lines (
    bulk_run_id UUID                     NOT NULL REFERENCES bulk_runs (id) NOT ENFORCED,
    shop_id     UUID                     NOT NULL REFERENCES shops (id) NOT ENFORCED,
    line_number BIGINT,
    entity      TEXT COLLATE "C",
    gid         VARCHAR(100) COLLATE "C",
    hash        BIGINT
);

COMMENT ON TABLE pipeline.staging_lines IS
    'The hash of every line of a run: what is compared with the fingerprints. Unlogged: empty after a crash.';
COMMENT ON COLUMN pipeline.staging_lines.bulk_run_id IS 'Source bulk run';
COMMENT ON COLUMN pipeline.staging_lines.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.staging_lines.line_number IS 'Line of the JSONL file';
COMMENT ON COLUMN pipeline.staging_lines.entity IS 'Kind of row that the line goes into';
COMMENT ON COLUMN pipeline.staging_lines.gid IS 'GID of that row';
COMMENT ON COLUMN pipeline.staging_lines.hash IS 'Hash of the line';
