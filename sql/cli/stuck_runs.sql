-- Loads that say they are running and whose lock nobody holds: their process is gone.
SELECT r.id, s.shopify_domain::text, r.query_type, r.started_at
FROM bulk_runs r
JOIN shops s ON s.id = r.shop_id
WHERE r.status IN ('pending', 'running')
  AND coalesce(r.started_at, r.created_at) < now() - interval '1 hour'
ORDER BY r.started_at
