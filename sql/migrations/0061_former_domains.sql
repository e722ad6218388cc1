-- A shop may be renamed: it is the same shop, with the same rows. What was named after it, and comes under the old name
-- still, is found by the names that it had.

SET LOCAL ROLE neanelu_owner;

CREATE TABLE pipeline.former_domains (
    domain     CITEXT      PRIMARY KEY,
    shop_id    UUID        NOT NULL REFERENCES shops (id),
    renamed_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX idx_former_domains_shop ON pipeline.former_domains (shop_id);

COMMENT ON TABLE pipeline.former_domains IS
    'Domains that shops had before they were renamed: files lie in folders of that name, and webhooks may still bear it';
COMMENT ON COLUMN pipeline.former_domains.domain IS 'What shops.shopify_domain was';
COMMENT ON COLUMN pipeline.former_domains.shop_id IS 'The shop that had it';
COMMENT ON COLUMN pipeline.former_domains.renamed_at IS 'When it was seen here that the shop has another';

ALTER TABLE pipeline.former_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline.former_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY former_domains_tenant_isolation ON pipeline.former_domains
    USING (shop_id = (SELECT app_current_shop_id()))
    WITH CHECK (shop_id = (SELECT app_current_shop_id()));

GRANT SELECT, INSERT, DELETE ON pipeline.former_domains TO neanelu_pipeline;
GRANT SELECT ON pipeline.former_domains TO neanelu_tenant;
