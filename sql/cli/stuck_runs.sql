-- Loads that say they are running for an hour: their process is gone. A run that waits for Shopify has none.
SELECT r.id, s.shopify_domain::text, r.query_type, r.started_at
FROM bulk_runs r
JOIN shops s ON s.id = r.shop_id
WHERE r.status IN ('pending', 'running')
  AND NOT (r.status = 'pending' AND r.cursor_state ? 'bulk')
  AND coalesce(r.started_at, r.created_at) < now() - interval '1 hour'
ORDER BY r.started_at
