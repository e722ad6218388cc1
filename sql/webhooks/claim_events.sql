-- The oldest new events of a shop, in the order of the shop's time; ours until the transaction ends. Bodies
-- are text: they are decoded one by one, so that one that cannot be is no fault of the others.
SELECT k.idempotency_key, k.triggered_at, e.topic, e.payload::text, COALESCE(e.retry_count, 0)
  FROM pipeline.webhook_keys k
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
 WHERE k.state = 'new'
   AND (k.not_before IS NULL OR k.not_before <= clock_timestamp())
   AND k.shop_id = %(shop_id)s
 ORDER BY k.triggered_at, k.idempotency_key
 LIMIT %(limit)s
   FOR UPDATE OF k SKIP LOCKED
