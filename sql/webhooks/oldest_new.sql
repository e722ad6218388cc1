-- The shop with the oldest event that nobody works on, of those that are not left out. One look at an index that holds
-- new events only.
SELECT k.shop_id, s.shopify_domain
  FROM pipeline.webhook_keys k
  JOIN shops s ON s.id = k.shop_id
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
 WHERE k.state = 'new'
   AND (k.not_before IS NULL OR k.not_before <= clock_timestamp())
   AND k.shop_id <> ALL (%(leave_out)s::uuid[])
 ORDER BY k.triggered_at
 LIMIT 1
   FOR UPDATE OF k SKIP LOCKED
