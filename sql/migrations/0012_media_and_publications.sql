-- Module J: media and publications.

SET LOCAL ROLE neanelu_owner;

-- shopify_media -----------------------------------------------------------------------------------

CREATE TABLE shopify_media (
    media_id           UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id            UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid        VARCHAR(100) COLLATE "C" NOT NULL,
    legacy_resource_id BIGINT,
    media_type         VARCHAR(30)              NOT NULL
        CHECK (media_type IN ('IMAGE', 'VIDEO', 'MODEL_3D', 'EXTERNAL_VIDEO')),
    alt                TEXT,
    status             VARCHAR(20)              NOT NULL,
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
    synced_at          TIMESTAMPTZ              DEFAULT now(),
    created_at         TIMESTAMPTZ              DEFAULT now(),
    updated_at         TIMESTAMPTZ              DEFAULT now(),
    fingerprint        BIGINT
);

CREATE UNIQUE INDEX idx_media_shop_gid ON shopify_media (shop_id, shopify_gid);
CREATE INDEX idx_media_type ON shopify_media (shop_id, media_type);
CREATE INDEX idx_media_status ON shopify_media (shop_id, status);

COMMENT ON TABLE shopify_media IS
    'Mirror of a shop''s media: images, videos, 3D models.';
COMMENT ON COLUMN shopify_media.media_id IS 'local media id';
COMMENT ON COLUMN shopify_media.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_media.shopify_gid IS 'gid://shopify/MediaImage/123';
COMMENT ON COLUMN shopify_media.legacy_resource_id IS 'Shopify''s numeric ID';
COMMENT ON COLUMN shopify_media.media_type IS 'IMAGE/VIDEO/MODEL_3D/EXTERNAL_VIDEO';
COMMENT ON COLUMN shopify_media.alt IS 'Alt text';
COMMENT ON COLUMN shopify_media.status IS 'UPLOADED/PROCESSING/READY/FAILED';
COMMENT ON COLUMN shopify_media.mime_type IS 'image/jpeg, video/mp4';
COMMENT ON COLUMN shopify_media.file_size IS 'Bytes';
COMMENT ON COLUMN shopify_media.width IS 'Pixels';
COMMENT ON COLUMN shopify_media.height IS 'Pixels';
COMMENT ON COLUMN shopify_media.duration IS 'Video duration ms';
COMMENT ON COLUMN shopify_media.url IS 'CDN URL';
COMMENT ON COLUMN shopify_media.preview_url IS 'Preview/thumbnail URL';
COMMENT ON COLUMN shopify_media.sources IS '[{url, mimeType, format}]';
COMMENT ON COLUMN shopify_media.metadata IS 'Type-specific metadata';
COMMENT ON COLUMN shopify_media.created_at_shopify IS 'When it was created in Shopify';
COMMENT ON COLUMN shopify_media.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_media.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_media.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN shopify_media.fingerprint IS 'Hash of the Shopify lines that the row was made from; NULL = unknown';

-- shopify_product_media ---------------------------------------------------------------------------

CREATE TABLE shopify_product_media (
    shop_id     UUID        NOT NULL REFERENCES shops (id),
    product_id  UUID        NOT NULL REFERENCES shopify_products (id),
    media_id    UUID        NOT NULL REFERENCES shopify_media (media_id),
    position    INTEGER     DEFAULT 0,
    is_featured BOOLEAN     DEFAULT false,
    created_at  TIMESTAMPTZ DEFAULT now(),
    updated_at  TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (product_id, media_id)
);

CREATE INDEX idx_product_media_shop ON shopify_product_media (shop_id);
CREATE INDEX idx_product_media_product ON shopify_product_media (product_id, position);
CREATE INDEX idx_product_media_featured ON shopify_product_media (product_id)
    WHERE is_featured = true;

COMMENT ON TABLE shopify_product_media IS
    'Which media a product shows, in order.';
COMMENT ON COLUMN shopify_product_media.shop_id IS 'Tenant (denormalized for RLS)';
COMMENT ON COLUMN shopify_product_media.product_id IS 'The product';
COMMENT ON COLUMN shopify_product_media.media_id IS 'The medium shown';
COMMENT ON COLUMN shopify_product_media.position IS 'Sort order';
COMMENT ON COLUMN shopify_product_media.is_featured IS 'Featured media';
COMMENT ON COLUMN shopify_product_media.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_product_media.updated_at IS 'When the row was last changed here';

-- shopify_variant_media ---------------------------------------------------------------------------

CREATE TABLE shopify_variant_media (
    shop_id    UUID        NOT NULL REFERENCES shops (id),
    variant_id UUID        NOT NULL REFERENCES shopify_variants (id),
    media_id   UUID        NOT NULL REFERENCES shopify_media (media_id),
    position   INTEGER     DEFAULT 0,
    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (variant_id, media_id)
);

CREATE INDEX idx_variant_media_shop ON shopify_variant_media (shop_id);

COMMENT ON TABLE shopify_variant_media IS
    'Which media a variant shows, in order.';
COMMENT ON COLUMN shopify_variant_media.shop_id IS 'Tenant (denormalized for RLS)';
COMMENT ON COLUMN shopify_variant_media.variant_id IS 'The variant';
COMMENT ON COLUMN shopify_variant_media.media_id IS 'The medium shown';
COMMENT ON COLUMN shopify_variant_media.position IS 'Sort order';
COMMENT ON COLUMN shopify_variant_media.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_variant_media.updated_at IS 'When the row was last changed here';

-- shopify_publications ----------------------------------------------------------------------------

CREATE TABLE shopify_publications (
    id                         UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id                    UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid                VARCHAR(100) COLLATE "C" NOT NULL,
    name                       VARCHAR(255)             NOT NULL,
    catalog_type               VARCHAR(50),
    supports_future_publishing BOOLEAN                  DEFAULT false,
    auto_publish               BOOLEAN                  DEFAULT false,
    is_active                  BOOLEAN                  DEFAULT true,
    synced_at                  TIMESTAMPTZ              DEFAULT now(),
    created_at                 TIMESTAMPTZ              DEFAULT now(),
    updated_at                 TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_publications_shop_gid ON shopify_publications (shop_id, shopify_gid);
CREATE INDEX idx_publications_shop_active ON shopify_publications (shop_id, is_active);

COMMENT ON TABLE shopify_publications IS
    'Mirror of a shop''s publications (sales channels).';
COMMENT ON COLUMN shopify_publications.id IS 'Primary key';
COMMENT ON COLUMN shopify_publications.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_publications.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_publications.name IS 'Channel name';
COMMENT ON COLUMN shopify_publications.catalog_type IS 'APP/MARKET/COMPANY_LOCATION';
COMMENT ON COLUMN shopify_publications.supports_future_publishing IS 'Whether publishing can be scheduled';
COMMENT ON COLUMN shopify_publications.auto_publish IS 'New products are published by themselves';
COMMENT ON COLUMN shopify_publications.is_active IS 'Whether the channel is in use';
COMMENT ON COLUMN shopify_publications.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_publications.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_publications.updated_at IS 'When the row was last changed here';

-- shopify_resource_publications -------------------------------------------------------------------

CREATE TABLE shopify_resource_publications (
    id             UUID        DEFAULT uuidv7() PRIMARY KEY,
    shop_id        UUID        NOT NULL REFERENCES shops (id),
    publication_id UUID        NOT NULL REFERENCES shopify_publications (id),
    resource_type  VARCHAR(50) NOT NULL,
    resource_id    UUID        NOT NULL,
    is_published   BOOLEAN     DEFAULT false NOT NULL,
    published_at   TIMESTAMPTZ,
    publish_date   TIMESTAMPTZ,
    created_at     TIMESTAMPTZ DEFAULT now(),
    updated_at     TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_resource_pub_publication ON shopify_resource_publications (publication_id);
CREATE UNIQUE INDEX idx_resource_pub_resource ON shopify_resource_publications
    (shop_id, publication_id, resource_type, resource_id);
CREATE INDEX idx_resource_pub_published ON shopify_resource_publications (shop_id, resource_type, is_published);

COMMENT ON TABLE shopify_resource_publications IS
    'Which products and collections are published where.';
COMMENT ON COLUMN shopify_resource_publications.id IS 'Primary key';
COMMENT ON COLUMN shopify_resource_publications.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_resource_publications.publication_id IS 'The publication';
COMMENT ON COLUMN shopify_resource_publications.resource_type IS 'Product/Collection';
COMMENT ON COLUMN shopify_resource_publications.resource_id IS 'shopify_products.id or shopify_collections.id';
COMMENT ON COLUMN shopify_resource_publications.is_published IS 'Whether it is published now';
COMMENT ON COLUMN shopify_resource_publications.published_at IS 'When actually published';
COMMENT ON COLUMN shopify_resource_publications.publish_date IS 'Scheduled future publish date';
COMMENT ON COLUMN shopify_resource_publications.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_resource_publications.updated_at IS 'When the row was last changed here';
