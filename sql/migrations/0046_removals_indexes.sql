-- What refers to a picture or a published thing is found when that goes, and the ledger's last merge without all its runs.

SET LOCAL ROLE neanelu_owner;

CREATE INDEX idx_product_media_media ON shopify_product_media (media_id);
CREATE INDEX idx_variant_media_media ON shopify_variant_media (media_id);
CREATE INDEX idx_resource_publications_resource ON shopify_resource_publications (resource_id);
CREATE INDEX idx_bulk_runs_query_type ON bulk_runs (shop_id, query_type, completed_at);
CREATE INDEX idx_bulk_artifacts_kept ON bulk_artifacts (created_at) WHERE deleted_at IS NULL;
