-- Module K: menus and navigation.

SET LOCAL ROLE neanelu_owner;

-- shopify_menus -----------------------------------------------------------------------------------

CREATE TABLE shopify_menus (
    id          UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id     UUID                     NOT NULL REFERENCES shops (id),
    shopify_gid VARCHAR(100) COLLATE "C" NOT NULL,
    title       TEXT                     NOT NULL,
    handle      VARCHAR(255)             NOT NULL,
    items_count INTEGER                  DEFAULT 0,
    synced_at   TIMESTAMPTZ              DEFAULT now(),
    created_at  TIMESTAMPTZ              DEFAULT now(),
    updated_at  TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_menus_shop_gid ON shopify_menus (shop_id, shopify_gid);
CREATE INDEX idx_menus_shop_handle ON shopify_menus (shop_id, handle);

COMMENT ON TABLE shopify_menus IS
    'Mirror of a shop''s navigation menus.';
COMMENT ON COLUMN shopify_menus.id IS 'internal menu id';
COMMENT ON COLUMN shopify_menus.shop_id IS 'shop id';
COMMENT ON COLUMN shopify_menus.shopify_gid IS 'shopify menu id';
COMMENT ON COLUMN shopify_menus.title IS 'Menu name';
COMMENT ON COLUMN shopify_menus.handle IS 'URL handle';
COMMENT ON COLUMN shopify_menus.items_count IS 'no. of items';
COMMENT ON COLUMN shopify_menus.synced_at IS 'When the row was last taken from Shopify';
COMMENT ON COLUMN shopify_menus.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_menus.updated_at IS 'When the row was last changed here';

-- shopify_menu_items ------------------------------------------------------------------------------

CREATE TABLE shopify_menu_items (
    id             UUID                     DEFAULT uuidv7() PRIMARY KEY,
    shop_id        UUID                     NOT NULL REFERENCES shops (id),
    menu_id        UUID                     NOT NULL REFERENCES shopify_menus (id),
    shopify_gid    VARCHAR(100) COLLATE "C" NOT NULL,
    parent_item_id UUID                     REFERENCES shopify_menu_items (id),
    title          TEXT                     NOT NULL,
    url            TEXT,
    item_type      VARCHAR(50),
    resource_id    VARCHAR(100),
    position       INTEGER                  DEFAULT 0,
    level          INTEGER                  DEFAULT 0,
    path           TEXT[],
    created_at     TIMESTAMPTZ              DEFAULT now(),
    updated_at     TIMESTAMPTZ              DEFAULT now()
);

CREATE UNIQUE INDEX idx_menu_items_shop_gid ON shopify_menu_items (shop_id, shopify_gid);
CREATE INDEX idx_menu_items_menu ON shopify_menu_items (menu_id, position);
CREATE INDEX idx_menu_items_parent ON shopify_menu_items (parent_item_id);
CREATE INDEX idx_menu_items_type ON shopify_menu_items (shop_id, item_type);
CREATE INDEX idx_menu_items_path ON shopify_menu_items USING gin (path);

COMMENT ON TABLE shopify_menu_items IS
    'Items of a shop''s navigation menus, as a tree.';
COMMENT ON COLUMN shopify_menu_items.id IS 'Primary key';
COMMENT ON COLUMN shopify_menu_items.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN shopify_menu_items.menu_id IS 'The menu it belongs to';
COMMENT ON COLUMN shopify_menu_items.shopify_gid IS 'Shopify''s global ID';
COMMENT ON COLUMN shopify_menu_items.parent_item_id IS 'Self-reference for tree';
COMMENT ON COLUMN shopify_menu_items.title IS 'Display text';
COMMENT ON COLUMN shopify_menu_items.url IS 'Link URL';
COMMENT ON COLUMN shopify_menu_items.item_type IS 'FRONTPAGE/COLLECTION/PAGE/PRODUCT/BLOG/ARTICLE/HTTP';
COMMENT ON COLUMN shopify_menu_items.resource_id IS 'Referenced resource GID';
COMMENT ON COLUMN shopify_menu_items.position IS 'Sort order';
COMMENT ON COLUMN shopify_menu_items.level IS 'Depth in tree';
COMMENT ON COLUMN shopify_menu_items.path IS 'Materialized path for breadcrumbs';
COMMENT ON COLUMN shopify_menu_items.created_at IS 'When the row was created here';
COMMENT ON COLUMN shopify_menu_items.updated_at IS 'When the row was last changed here';
