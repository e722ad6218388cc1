-- Resources whose last export failed, or whose load cannot count. Deletion events are no resource: a sync asks for none.
SELECT s.shopify_domain::text AS shop, c.resource_type AS resource, c.error_message AS error
FROM sync_checkpoints c
JOIN shops s ON s.id = c.shop_id AND s.uninstalled_at IS NULL
WHERE c.status = 'error'
  AND c.resource_type <> 'deletion_events'
ORDER BY s.shopify_domain, c.resource_type
