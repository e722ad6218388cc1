-- Loads and removals that say they are running and were not heard of for an hour: their process may be gone. A run that
-- waits for Shopify has none.
SELECT r.id, s.shopify_domain::text, r.query_type, r.started_at
FROM bulk_runs r
JOIN shops s ON s.id = r.shop_id
WHERE r.status IN ('pending', 'running')
  AND NOT (r.status = 'pending' AND r.cursor_state ? 'bulk')
  AND pipeline.last_sign(r) < now() - interval '1 hour'
ORDER BY r.started_at
