-- Until when Shopify's deletion events are known; before the first time, since the shop came here.
SELECT s.id, COALESCE(c.last_sync_at, s.created_at)
  FROM shops s
  LEFT JOIN sync_checkpoints c ON c.shop_id = s.id AND c.resource_type = 'deletion_events'
 WHERE s.shopify_domain = %(shop_domain)s
