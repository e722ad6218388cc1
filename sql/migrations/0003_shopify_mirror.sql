-- Module B: the Shopify mirror. Customers stand before orders, which refer to them.

SET LOCAL ROLE neanelu_owner;

-- shopify_products --------------------------------------------------------------------------------

CREATE TABLE shopify_products (
    id                        UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id                   UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid               VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id        BIGINT                   NOT NULL,
    title                     TEXT                     NOT NULL,
    handle                    VARCHAR(255)             NOT NULL,
    description               TEXT COMPRESSION lz4,
    description_html          TEXT COMPRESSION lz4,
    vendor                    VARCHAR(255),
    product_type              VARCHAR(255),
    status                    VARCHAR(20)              NOT NULL
        CHECK (status IN ('ACTIVE', 'DRAFT', 'ARCHIVED', 'UNLISTED')),
    tags                      TEXT[]                   DEFAULT '{}',
    is_gift_card              BOOLEAN                  DEFAULT false,
    has_only_default_variant  BOOLEAN                  DEFAULT true,
    has_out_of_stock_variants BOOLEAN                  DEFAULT false,
    requires_selling_plan     BOOLEAN                  DEFAULT false,
    options                   JSONB                    DEFAULT '[]',
    seo                       JSONB,
    price_range               JSONB,
    compare_at_price_range    JSONB,
    featured_image_url        TEXT,
    template_suffix           VARCHAR(100),
    category_id               VARCHAR(100),
    metafields                JSONB COMPRESSION lz4    DEFAULT '{}',
    published_at              TIMESTAMPTZ,
    created_at_shopify        TIMESTAMPTZ,
    updated_at_shopify        TIMESTAMPTZ,
    synced_at                 TIMESTAMPTZ              DEFAULT now(),
    created_at                TIMESTAMPTZ              DEFAULT now(),
    updated_at                TIMESTAMPTZ              DEFAULT now(),
    fingerprint               BIGINT
);

CREATE UNIQUE INDEX idx_products_shop_gid ON shopify_products (shop_id, shopify_gid);
CREATE INDEX idx_products_shop_handle ON shopify_products (shop_id, handle);
CREATE INDEX idx_products_shop_status ON shopify_products (shop_id, status);
CREATE INDEX idx_products_shop_vendor ON shopify_products (shop_id, vendor);
CREATE INDEX idx_products_tags ON shopify_products USING gin (tags);
CREATE INDEX idx_products_metafields ON shopify_products USING gin (metafields jsonb_path_ops);
CREATE INDEX idx_products_fts ON shopify_products
    USING gin (to_tsvector('simple', title || ' ' || COALESCE(description, '')));
CREATE INDEX idx_products_active ON shopify_products (shop_id, updated_at)
    WHERE status = 'ACTIVE';

COMMENT ON TABLE shopify_products IS
    'Mirror of a shop''s products.';
COMMENT ON COLUMN shopify_products.id IS 'Internal ID';
COMMENT ON COLUMN shopify_products.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_products.shopify_gid IS 'gid://shopify/Product/123';
COMMENT ON COLUMN shopify_products.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN shopify_products.title IS 'Product title';
COMMENT ON COLUMN shopify_products.handle IS 'URL handle';
COMMENT ON COLUMN shopify_products.description IS 'Plain text';
COMMENT ON COLUMN shopify_products.description_html IS 'HTML description';
COMMENT ON COLUMN shopify_products.vendor IS 'Brand/Vendor';
COMMENT ON COLUMN shopify_products.product_type IS 'Product type';
COMMENT ON COLUMN shopify_products.status IS 'ACTIVE/DRAFT/ARCHIVED/UNLISTED';
COMMENT ON COLUMN shopify_products.tags IS 'Product tags';
COMMENT ON COLUMN shopify_products.is_gift_card IS 'Whether it is a gift card';
COMMENT ON COLUMN shopify_products.has_only_default_variant IS 'Whether the only variant is the default one';
COMMENT ON COLUMN shopify_products.has_out_of_stock_variants IS 'Whether a variant is out of stock';
COMMENT ON COLUMN shopify_products.requires_selling_plan IS 'Subscription only';
COMMENT ON COLUMN shopify_products.options IS '[{name,position,values}]';
COMMENT ON COLUMN shopify_products.seo IS '{title,description}';
COMMENT ON COLUMN shopify_products.price_range IS '{min,max,currency}';
COMMENT ON COLUMN shopify_products.compare_at_price_range IS '{min,max,currency}';
COMMENT ON COLUMN shopify_products.featured_image_url IS 'Primary image URL';
COMMENT ON COLUMN shopify_products.template_suffix IS 'Theme template';
COMMENT ON COLUMN shopify_products.category_id IS 'Shopify taxonomy ID';
COMMENT ON COLUMN shopify_products.metafields IS 'Key metafields cache';
COMMENT ON COLUMN shopify_products.published_at IS 'Publish date';
COMMENT ON COLUMN shopify_products.created_at_shopify IS 'Shopify created';
COMMENT ON COLUMN shopify_products.updated_at_shopify IS 'Shopify updated';
COMMENT ON COLUMN shopify_products.synced_at IS 'Last sync';
COMMENT ON COLUMN shopify_products.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_products.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN shopify_products.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

-- shopify_variants --------------------------------------------------------------------------------

CREATE TABLE shopify_variants (
    id                  UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id             UUID                     NOT NULL REFERENCES shops (id),
    product_id          UUID                     NOT NULL REFERENCES shopify_products (id),
    shopify_gid         VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id  BIGINT                   NOT NULL,
    title               VARCHAR(255)             NOT NULL,
    sku                 VARCHAR(255),
    barcode             VARCHAR(100),
    price               DECIMAL(12,2)            NOT NULL,
    compare_at_price    DECIMAL(12,2),
    currency_code       VARCHAR(3)               DEFAULT 'RON',
    cost                DECIMAL(12,2),
    weight              DECIMAL(10,4),
    weight_unit         VARCHAR(20)              DEFAULT 'KILOGRAMS'
        CHECK (weight_unit IN ('KILOGRAMS', 'GRAMS', 'POUNDS', 'OUNCES')),
    inventory_quantity  INTEGER                  DEFAULT 0,
    inventory_policy    VARCHAR(20)              DEFAULT 'DENY' CHECK (inventory_policy IN ('DENY', 'CONTINUE')),
    inventory_item_id   VARCHAR(100),
    taxable             BOOLEAN                  DEFAULT true,
    tax_code            VARCHAR(50),
    available_for_sale  BOOLEAN                  DEFAULT true,
    requires_shipping   BOOLEAN                  DEFAULT true,
    requires_components BOOLEAN                  DEFAULT false,
    position            INTEGER                  DEFAULT 1,
    selected_options    JSONB                    DEFAULT '[]',
    image_url           TEXT,
    metafields          JSONB COMPRESSION lz4    DEFAULT '{}',
    created_at_shopify  TIMESTAMPTZ,
    updated_at_shopify  TIMESTAMPTZ,
    synced_at           TIMESTAMPTZ              DEFAULT now(),
    created_at          TIMESTAMPTZ              DEFAULT now(),
    updated_at          TIMESTAMPTZ              DEFAULT now(),
    fingerprint         BIGINT
);

CREATE UNIQUE INDEX idx_variants_shop_gid ON shopify_variants (shop_id, shopify_gid);
CREATE INDEX idx_variants_product ON shopify_variants (product_id);
CREATE INDEX idx_variants_shop_sku ON shopify_variants (shop_id, sku)
    WHERE sku IS NOT NULL;
CREATE INDEX idx_variants_shop_barcode ON shopify_variants (shop_id, barcode)
    WHERE barcode IS NOT NULL;
CREATE INDEX idx_variants_inventory ON shopify_variants (shop_id, inventory_quantity);

COMMENT ON TABLE shopify_variants IS
    'Mirror of a shop''s product variants.';
COMMENT ON COLUMN shopify_variants.id IS 'Internal ID';
COMMENT ON COLUMN shopify_variants.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_variants.product_id IS 'The product it is a variant of';
COMMENT ON COLUMN shopify_variants.shopify_gid IS 'gid://shopify/ProductVariant/123';
COMMENT ON COLUMN shopify_variants.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN shopify_variants.title IS 'Variant title';
COMMENT ON COLUMN shopify_variants.sku IS 'Stock keeping unit (optional in Shopify)';
COMMENT ON COLUMN shopify_variants.barcode IS 'UPC/EAN/ISBN (optional in Shopify)';
COMMENT ON COLUMN shopify_variants.price IS 'Price';
COMMENT ON COLUMN shopify_variants.compare_at_price IS 'Price before the reduction; NULL when not on sale';
COMMENT ON COLUMN shopify_variants.currency_code IS 'Currency (ISO 4217)';
COMMENT ON COLUMN shopify_variants.cost IS 'Unit cost';
COMMENT ON COLUMN shopify_variants.weight IS 'Weight, in weight_unit';
COMMENT ON COLUMN shopify_variants.weight_unit IS 'Unit of the weight';
COMMENT ON COLUMN shopify_variants.inventory_quantity IS 'Quantity over all locations';
COMMENT ON COLUMN shopify_variants.inventory_policy IS 'DENY/CONTINUE';
COMMENT ON COLUMN shopify_variants.inventory_item_id IS 'Inventory item GID';
COMMENT ON COLUMN shopify_variants.taxable IS 'Whether it is taxed';
COMMENT ON COLUMN shopify_variants.tax_code IS 'Tax code';
COMMENT ON COLUMN shopify_variants.available_for_sale IS 'Whether it can be bought now';
COMMENT ON COLUMN shopify_variants.requires_shipping IS 'Whether it must be shipped';
COMMENT ON COLUMN shopify_variants.requires_components IS 'Bundle variant';
COMMENT ON COLUMN shopify_variants.position IS 'Sort order';
COMMENT ON COLUMN shopify_variants.selected_options IS '[{name,value}]';
COMMENT ON COLUMN shopify_variants.image_url IS 'Variant image';
COMMENT ON COLUMN shopify_variants.metafields IS 'Metafields as {namespace.key: {type, value}}';
COMMENT ON COLUMN shopify_variants.created_at_shopify IS 'When it was created in Shopify';
COMMENT ON COLUMN shopify_variants.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN shopify_variants.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_variants.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_variants.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN shopify_variants.fingerprint IS
    'Hash of the Shopify lines that the row was made from; NULL = unknown';

-- shopify_collections -----------------------------------------------------------------------------

CREATE TABLE shopify_collections (
    id                 UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id            UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid        VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id BIGINT                   NOT NULL,
    title              TEXT                     NOT NULL,
    handle             VARCHAR(255)             NOT NULL,
    description        TEXT COMPRESSION lz4,
    description_html   TEXT COMPRESSION lz4,
    collection_type    VARCHAR(20)              NOT NULL,
    sort_order         VARCHAR(50),
    rules              JSONB,
    disjunctive        BOOLEAN                  DEFAULT false,
    seo                JSONB,
    image_url          TEXT,
    products_count     INTEGER                  DEFAULT 0,
    template_suffix    VARCHAR(100),
    published_at       TIMESTAMPTZ,
    synced_at          TIMESTAMPTZ              DEFAULT now(),
    created_at         TIMESTAMPTZ              DEFAULT now(),
    updated_at         TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_collections_shop_gid ON shopify_collections (shop_id, shopify_gid);
CREATE INDEX idx_collections_shop_handle ON shopify_collections (shop_id, handle);
CREATE INDEX idx_collections_type ON shopify_collections (shop_id, collection_type);

COMMENT ON TABLE shopify_collections IS
    'Mirror of a shop''s collections.';
COMMENT ON COLUMN shopify_collections.id IS 'Internal ID';
COMMENT ON COLUMN shopify_collections.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_collections.shopify_gid IS 'gid://shopify/Collection/123';
COMMENT ON COLUMN shopify_collections.legacy_resource_id IS 'Numeric Shopify ID';
COMMENT ON COLUMN shopify_collections.title IS 'Collection title';
COMMENT ON COLUMN shopify_collections.handle IS 'Collection handle';
COMMENT ON COLUMN shopify_collections.description IS 'Collection description';
COMMENT ON COLUMN shopify_collections.description_html IS 'Collection description HTML';
COMMENT ON COLUMN shopify_collections.collection_type IS 'MANUAL/SMART';
COMMENT ON COLUMN shopify_collections.sort_order IS 'BEST_SELLING/ALPHA etc';
COMMENT ON COLUMN shopify_collections.rules IS 'Smart collection rules';
COMMENT ON COLUMN shopify_collections.disjunctive IS 'OR vs AND rules';
COMMENT ON COLUMN shopify_collections.seo IS '{title,description}';
COMMENT ON COLUMN shopify_collections.image_url IS 'Collection image';
COMMENT ON COLUMN shopify_collections.products_count IS 'Number of products';
COMMENT ON COLUMN shopify_collections.template_suffix IS 'Theme template';
COMMENT ON COLUMN shopify_collections.published_at IS 'When it was published';
COMMENT ON COLUMN shopify_collections.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_collections.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_collections.updated_at IS 'When the row was last changed here';

-- shopify_collection_products ---------------------------------------------------------------------

CREATE TABLE shopify_collection_products (
    shop_id       UUID        NOT NULL REFERENCES shops (id),
    collection_id UUID        REFERENCES shopify_collections (id),
    product_id    UUID        REFERENCES shopify_products (id),
    position      INTEGER     DEFAULT 0,
    created_at    TIMESTAMPTZ DEFAULT now(),
    updated_at    TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (collection_id, product_id)
);

CREATE INDEX idx_collection_products_shop ON shopify_collection_products (shop_id);
CREATE INDEX idx_collection_products_product ON shopify_collection_products (product_id);

COMMENT ON TABLE shopify_collection_products IS
    'Which products stand in which collections.';
COMMENT ON COLUMN shopify_collection_products.shop_id IS 'Tenant (denormalized for RLS)';
COMMENT ON COLUMN shopify_collection_products.collection_id IS 'The collection';
COMMENT ON COLUMN shopify_collection_products.product_id IS 'The product in the collection';
COMMENT ON COLUMN shopify_collection_products.position IS 'Sort position';
COMMENT ON COLUMN shopify_collection_products.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_collection_products.updated_at IS 'When the row was last changed here';

-- shopify_customers -------------------------------------------------------------------------------

CREATE TABLE shopify_customers (
    id                           UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id                      UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid                  VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id           BIGINT                   NOT NULL,
    email                        CITEXT,
    phone                        VARCHAR(50),
    first_name                   VARCHAR(100),
    last_name                    VARCHAR(100),
    display_name                 VARCHAR(255),
    state                        VARCHAR(20)              DEFAULT 'ENABLED'
        CHECK (state IN ('ENABLED', 'DISABLED', 'INVITED', 'DECLINED')),
    verified_email               BOOLEAN                  DEFAULT false,
    accepts_marketing            BOOLEAN                  DEFAULT false,
    accepts_marketing_updated_at TIMESTAMPTZ,
    marketing_opt_in_level       VARCHAR(30),
    orders_count                 INTEGER                  DEFAULT 0,
    total_spent                  DECIMAL(12,2)            DEFAULT 0,
    average_order_amount         DECIMAL(12,2),
    currency_code                VARCHAR(3),
    tags                         TEXT[]                   DEFAULT '{}',
    tax_exempt                   BOOLEAN                  DEFAULT false,
    tax_exemptions               TEXT[]                   DEFAULT '{}',
    locale                       VARCHAR(10),
    note                         TEXT,
    default_address              JSONB,
    addresses                    JSONB                    DEFAULT '[]',
    metafields                   JSONB COMPRESSION lz4    DEFAULT '{}',
    created_at_shopify           TIMESTAMPTZ,
    updated_at_shopify           TIMESTAMPTZ,
    synced_at                    TIMESTAMPTZ              DEFAULT now(),
    created_at                   TIMESTAMPTZ              DEFAULT now(),
    updated_at                   TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_customers_shop_gid ON shopify_customers (shop_id, shopify_gid);
CREATE INDEX idx_customers_shop_email ON shopify_customers (shop_id, email);
CREATE INDEX idx_customers_shop_phone ON shopify_customers (shop_id, phone)
    WHERE phone IS NOT NULL;
CREATE INDEX idx_customers_tags ON shopify_customers USING gin (tags);

COMMENT ON TABLE shopify_customers IS
    'Mirror of a shop''s customers.';
COMMENT ON COLUMN shopify_customers.id IS 'Primary key';
COMMENT ON COLUMN shopify_customers.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_customers.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_customers.legacy_resource_id IS 'Shopify''s numeric ID';
COMMENT ON COLUMN shopify_customers.email IS 'Email address';
COMMENT ON COLUMN shopify_customers.phone IS 'Phone number';
COMMENT ON COLUMN shopify_customers.first_name IS 'First name';
COMMENT ON COLUMN shopify_customers.last_name IS 'Last name';
COMMENT ON COLUMN shopify_customers.display_name IS 'Name to show';
COMMENT ON COLUMN shopify_customers.state IS 'ENABLED/DISABLED/INVITED/DECLINED';
COMMENT ON COLUMN shopify_customers.verified_email IS 'Whether the email address is verified';
COMMENT ON COLUMN shopify_customers.accepts_marketing IS 'Whether the customer accepts marketing by email';
COMMENT ON COLUMN shopify_customers.accepts_marketing_updated_at IS 'When the marketing consent last changed';
COMMENT ON COLUMN shopify_customers.marketing_opt_in_level IS 'How the consent was given';
COMMENT ON COLUMN shopify_customers.orders_count IS 'Orders so far';
COMMENT ON COLUMN shopify_customers.total_spent IS 'Amount spent so far';
COMMENT ON COLUMN shopify_customers.average_order_amount IS 'Average amount of an order';
COMMENT ON COLUMN shopify_customers.currency_code IS 'Currency (ISO 4217)';
COMMENT ON COLUMN shopify_customers.tags IS 'Tags';
COMMENT ON COLUMN shopify_customers.tax_exempt IS 'Whether the customer pays no taxes';
COMMENT ON COLUMN shopify_customers.tax_exemptions IS 'Tax exemptions of the customer';
COMMENT ON COLUMN shopify_customers.locale IS 'Language of the customer';
COMMENT ON COLUMN shopify_customers.note IS 'Note about the customer';
COMMENT ON COLUMN shopify_customers.default_address IS 'Default address of the customer';
COMMENT ON COLUMN shopify_customers.addresses IS 'All addresses of the customer';
COMMENT ON COLUMN shopify_customers.metafields IS 'Metafields as {namespace.key: {type, value}}';
COMMENT ON COLUMN shopify_customers.created_at_shopify IS 'When it was created in Shopify';
COMMENT ON COLUMN shopify_customers.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN shopify_customers.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_customers.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_customers.updated_at IS 'When the row was last changed here';

-- shopify_orders ----------------------------------------------------------------------------------

CREATE TABLE shopify_orders (
    id                   UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id              UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid          VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id   BIGINT                   NOT NULL,
    name                 VARCHAR(50)              NOT NULL,
    order_number         INTEGER                  NOT NULL,
    email                CITEXT,
    phone                VARCHAR(50),
    financial_status     VARCHAR(30)
        CHECK (financial_status IN ('PENDING', 'AUTHORIZED', 'PARTIALLY_PAID', 'PAID', 'PARTIALLY_REFUNDED',
               'REFUNDED', 'VOIDED', 'EXPIRED')),
    fulfillment_status   VARCHAR(30)
        CHECK (fulfillment_status IN ('UNFULFILLED', 'PARTIALLY_FULFILLED', 'FULFILLED',
               'SCHEDULED', 'ON_HOLD', 'IN_PROGRESS', 'OPEN', 'PENDING_FULFILLMENT', 'RESTOCKED', 'REQUEST_DECLINED')),
    total_price          DECIMAL(12,2)            NOT NULL,
    subtotal_price       DECIMAL(12,2),
    total_tax            DECIMAL(12,2),
    total_discounts      DECIMAL(12,2),
    total_shipping       DECIMAL(12,2),
    currency_code        VARCHAR(3)               NOT NULL,
    presentment_currency VARCHAR(3),
    line_items           JSONB COMPRESSION lz4    NOT NULL,
    shipping_lines       JSONB                    DEFAULT '[]',
    discount_codes       JSONB                    DEFAULT '[]',
    shipping_address     JSONB,
    billing_address      JSONB,
    customer_id          UUID                     REFERENCES shopify_customers (id),
    customer_locale      VARCHAR(10),
    tags                 TEXT[]                   DEFAULT '{}',
    note                 TEXT,
    note_attributes      JSONB                    DEFAULT '[]',
    gateway              VARCHAR(100),
    payment_terms        JSONB,
    risk_level           VARCHAR(20),
    source_name          VARCHAR(100),
    source_identifier    VARCHAR(255),
    cancelled_at         TIMESTAMPTZ,
    cancel_reason        VARCHAR(50),
    closed_at            TIMESTAMPTZ,
    processed_at         TIMESTAMPTZ,
    created_at_shopify   TIMESTAMPTZ,
    updated_at_shopify   TIMESTAMPTZ,
    synced_at            TIMESTAMPTZ              DEFAULT now(),
    created_at           TIMESTAMPTZ              DEFAULT now(),
    updated_at           TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_orders_shop_gid ON shopify_orders (shop_id, shopify_gid);
CREATE INDEX idx_orders_shop_number ON shopify_orders (shop_id, order_number);
CREATE INDEX idx_orders_shop_email ON shopify_orders (shop_id, email);
CREATE INDEX idx_orders_customer ON shopify_orders (customer_id);
CREATE INDEX idx_orders_financial ON shopify_orders (shop_id, financial_status);
CREATE INDEX idx_orders_fulfillment ON shopify_orders (shop_id, fulfillment_status);
CREATE INDEX idx_orders_created ON shopify_orders (shop_id, created_at_shopify DESC);
CREATE INDEX idx_orders_line_items ON shopify_orders USING gin (line_items jsonb_path_ops);
CREATE INDEX idx_orders_shop_date ON shopify_orders (shop_id, created_at_shopify DESC);
CREATE INDEX idx_orders_processed ON shopify_orders (shop_id, processed_at DESC)
    WHERE processed_at IS NOT NULL;

COMMENT ON TABLE shopify_orders IS
    'Mirror of a shop''s orders.';
COMMENT ON COLUMN shopify_orders.id IS 'Primary key';
COMMENT ON COLUMN shopify_orders.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_orders.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_orders.legacy_resource_id IS 'Shopify''s numeric ID';
COMMENT ON COLUMN shopify_orders.name IS 'Order name as the customer sees it (#1001)';
COMMENT ON COLUMN shopify_orders.order_number IS 'Number of the order within the shop';
COMMENT ON COLUMN shopify_orders.email IS 'Customer email';
COMMENT ON COLUMN shopify_orders.phone IS 'Phone number for the order';
COMMENT ON COLUMN shopify_orders.financial_status IS 'PENDING/PAID/REFUNDED';
COMMENT ON COLUMN shopify_orders.fulfillment_status IS 'UNFULFILLED/FULFILLED';
COMMENT ON COLUMN shopify_orders.total_price IS 'Price in all';
COMMENT ON COLUMN shopify_orders.subtotal_price IS 'Price of the items after discounts';
COMMENT ON COLUMN shopify_orders.total_tax IS 'Taxes in all';
COMMENT ON COLUMN shopify_orders.total_discounts IS 'Discounts in all';
COMMENT ON COLUMN shopify_orders.total_shipping IS 'Shipping in all';
COMMENT ON COLUMN shopify_orders.currency_code IS 'Shop''s currency (ISO 4217)';
COMMENT ON COLUMN shopify_orders.presentment_currency IS 'Customer currency';
COMMENT ON COLUMN shopify_orders.line_items IS
    '[{variant_id,variant_gid,quantity,price}]: variant_id is the mirror''s id, variant_gid Shopify''s';
COMMENT ON COLUMN shopify_orders.shipping_lines IS 'Shipping methods chosen and their prices';
COMMENT ON COLUMN shopify_orders.discount_codes IS 'Discount codes used';
COMMENT ON COLUMN shopify_orders.shipping_address IS 'Shipping address';
COMMENT ON COLUMN shopify_orders.billing_address IS 'Billing address';
COMMENT ON COLUMN shopify_orders.customer_id IS 'The customer who ordered';
COMMENT ON COLUMN shopify_orders.customer_locale IS 'Locale of the customer when ordering';
COMMENT ON COLUMN shopify_orders.tags IS 'Tags';
COMMENT ON COLUMN shopify_orders.note IS 'Note on the order';
COMMENT ON COLUMN shopify_orders.note_attributes IS 'Additional details as [{key, value}]';
COMMENT ON COLUMN shopify_orders.gateway IS 'Payment gateway';
COMMENT ON COLUMN shopify_orders.payment_terms IS 'B2B terms';
COMMENT ON COLUMN shopify_orders.risk_level IS 'LOW/MEDIUM/HIGH';
COMMENT ON COLUMN shopify_orders.source_name IS 'web/pos/api';
COMMENT ON COLUMN shopify_orders.source_identifier IS 'Identifier of the order in its source';
COMMENT ON COLUMN shopify_orders.cancelled_at IS 'When it was cancelled';
COMMENT ON COLUMN shopify_orders.cancel_reason IS 'Why it was cancelled';
COMMENT ON COLUMN shopify_orders.closed_at IS 'When it was closed';
COMMENT ON COLUMN shopify_orders.processed_at IS 'When the order counts as placed';
COMMENT ON COLUMN shopify_orders.created_at_shopify IS 'When it was created in Shopify';
COMMENT ON COLUMN shopify_orders.updated_at_shopify IS 'When it was last changed in Shopify';
COMMENT ON COLUMN shopify_orders.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_orders.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_orders.updated_at IS 'When the row was last changed here';

-- shopify_metaobjects -----------------------------------------------------------------------------

CREATE TABLE shopify_metaobjects (
    id           UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id      UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid  VARCHAR(100) COLLATE "C" NOT NULL,
    type         VARCHAR(100)             NOT NULL,
    handle       VARCHAR(255)             NOT NULL,
    display_name TEXT,
    fields       JSONB COMPRESSION lz4    NOT NULL,
    capabilities JSONB                    DEFAULT '{}',
    synced_at    TIMESTAMPTZ              DEFAULT now(),
    created_at   TIMESTAMPTZ              DEFAULT now(),
    updated_at   TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_metaobjects_shop_gid ON shopify_metaobjects (shop_id, shopify_gid);
CREATE INDEX idx_metaobjects_shop_type ON shopify_metaobjects (shop_id, type);
CREATE INDEX idx_metaobjects_shop_handle ON shopify_metaobjects (shop_id, type, handle);
CREATE INDEX idx_metaobjects_fields ON shopify_metaobjects USING gin (fields jsonb_path_ops);

COMMENT ON TABLE shopify_metaobjects IS
    'Mirror of a shop''s metaobjects.';
COMMENT ON COLUMN shopify_metaobjects.id IS 'Primary key';
COMMENT ON COLUMN shopify_metaobjects.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_metaobjects.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_metaobjects.type IS 'Metaobject type';
COMMENT ON COLUMN shopify_metaobjects.handle IS 'Handle, unique within its type';
COMMENT ON COLUMN shopify_metaobjects.display_name IS 'Name of the metaobject to show';
COMMENT ON COLUMN shopify_metaobjects.fields IS '{key: {type, value}}';
COMMENT ON COLUMN shopify_metaobjects.capabilities IS 'Capabilities of the metaobject: publishable, translatable';
COMMENT ON COLUMN shopify_metaobjects.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_metaobjects.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_metaobjects.updated_at IS 'When the row was last changed here';

-- shopify_webhooks --------------------------------------------------------------------------------

CREATE TABLE shopify_webhooks (
    id                   UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id              UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid          VARCHAR(100) COLLATE "C" NOT NULL,
    topic                VARCHAR(100)             NOT NULL,
    address              TEXT                     NOT NULL,
    format               VARCHAR(10)              DEFAULT 'json',
    api_version          VARCHAR(20),
    include_fields       TEXT[],
    metafield_namespaces TEXT[],
    created_at           TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_webhooks_shop_gid ON shopify_webhooks (shop_id, shopify_gid);
CREATE INDEX idx_webhooks_shop_topic ON shopify_webhooks (shop_id, topic);

COMMENT ON TABLE shopify_webhooks IS
    'Webhook subscriptions of a shop.';
COMMENT ON COLUMN shopify_webhooks.id IS 'Primary key';
COMMENT ON COLUMN shopify_webhooks.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_webhooks.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_webhooks.topic IS 'orders/create etc';
COMMENT ON COLUMN shopify_webhooks.address IS 'Callback URL';
COMMENT ON COLUMN shopify_webhooks.format IS 'Format of the payload';
COMMENT ON COLUMN shopify_webhooks.api_version IS 'API version of the payloads';
COMMENT ON COLUMN shopify_webhooks.include_fields IS 'Fields that the payload is limited to';
COMMENT ON COLUMN shopify_webhooks.metafield_namespaces IS 'Metafield namespaces in the payload';
COMMENT ON COLUMN shopify_webhooks.created_at IS 'When the row was created here';

-- webhook_events ----------------------------------------------------------------------------------

-- A unique index on a partitioned table must hold the partition key, so the idempotency key is kept unique by
-- pipeline.webhook_keys; the index here only finds an event by its key.

CREATE TABLE webhook_events (
    id                 UUID                  DEFAULT uuidv7(),
    shop_id            UUID                  REFERENCES shops (id),
    topic              VARCHAR(100)          NOT NULL,
    shopify_webhook_id VARCHAR(100),
    api_version        VARCHAR(20),
    payload            JSONB COMPRESSION lz4 NOT NULL,
    hmac_verified      BOOLEAN               DEFAULT false NOT NULL,
    received_at        TIMESTAMPTZ           DEFAULT now(),
    processed_at       TIMESTAMPTZ,
    processing_error   TEXT,
    job_id             VARCHAR(255),
    idempotency_key    VARCHAR(255),
    retry_count        INTEGER               DEFAULT 0,
    created_at         TIMESTAMPTZ           DEFAULT now() NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_webhook_events_unprocessed ON webhook_events (shop_id, received_at)
    WHERE processed_at IS NULL;
CREATE INDEX idx_webhook_events_topic ON webhook_events (shop_id, topic);
CREATE INDEX idx_webhook_events_idempotency ON webhook_events (idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX idx_webhook_events_payload ON webhook_events USING gin (payload jsonb_path_ops);

COMMENT ON TABLE webhook_events IS
    'Webhooks received and waiting to be processed. Monthly partitions by created_at.';
COMMENT ON COLUMN webhook_events.id IS 'Event identifier';
COMMENT ON COLUMN webhook_events.shop_id IS 'Tenant';
COMMENT ON COLUMN webhook_events.topic IS 'orders/create, etc';
COMMENT ON COLUMN webhook_events.shopify_webhook_id IS 'Original webhook ID';
COMMENT ON COLUMN webhook_events.api_version IS 'Shopify API version';
COMMENT ON COLUMN webhook_events.payload IS 'Full webhook payload';
COMMENT ON COLUMN webhook_events.hmac_verified IS 'HMAC validation passed';
COMMENT ON COLUMN webhook_events.received_at IS 'When received';
COMMENT ON COLUMN webhook_events.processed_at IS 'When processed';
COMMENT ON COLUMN webhook_events.processing_error IS 'Error if failed';
COMMENT ON COLUMN webhook_events.job_id IS 'Dagster run that processed it';
COMMENT ON COLUMN webhook_events.idempotency_key IS 'Deduplication key';
COMMENT ON COLUMN webhook_events.retry_count IS 'Processing attempts';
COMMENT ON COLUMN webhook_events.created_at IS 'When the row was created here';

-- pipeline.webhook_keys ---------------------------------------------------------------------------

CREATE TABLE pipeline.webhook_keys (
    idempotency_key VARCHAR(255) PRIMARY KEY,
    shop_id         UUID         REFERENCES shops (id),
    event_id        UUID         NOT NULL,
    received_at     TIMESTAMPTZ  NOT NULL DEFAULT now()
);

CREATE INDEX idx_webhook_keys_received ON pipeline.webhook_keys (received_at);

COMMENT ON TABLE pipeline.webhook_keys IS
    'Idempotency keys of webhook_events, written in the same transaction, purged after the retry window.';
COMMENT ON COLUMN pipeline.webhook_keys.idempotency_key IS 'X-Shopify-Webhook-Id, stable across retries';
COMMENT ON COLUMN pipeline.webhook_keys.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN pipeline.webhook_keys.event_id IS
    'The row of webhook_events; no foreign key, because old events are dropped by partition';
COMMENT ON COLUMN pipeline.webhook_keys.received_at IS 'When it was received; old keys are purged by it';
