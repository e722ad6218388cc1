-- Close events that were set aside, and keep why; each with what was done about it before, if that was begun. Whoever
-- puts them back at the same time is waited for, or finds them closed. Nobody will ask again whom they were about.
WITH chosen AS (
  SELECT k.idempotency_key, k.event_id, k.shop_id, k.received_at, e.topic
    FROM pipeline.webhook_keys k
    JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
   WHERE k.state = 'aside'
     AND (k.idempotency_key = ANY (%(events)s::text[]) OR k.event_id::text = ANY (%(events)s::text[]))
     FOR UPDATE OF k
),
closed AS (
  UPDATE pipeline.webhook_keys k
     SET state = 'dismissed', not_before = NULL
    FROM chosen c
   WHERE k.idempotency_key = c.idempotency_key
),
kept AS (
  INSERT INTO pipeline.dismissals (idempotency_key, shop_id, topic, received_at, because)
  SELECT idempotency_key, shop_id, topic, received_at, %(because)s
    FROM chosen
      ON CONFLICT (idempotency_key) DO UPDATE
     SET because = excluded.because, received_at = excluded.received_at, dismissed_at = clock_timestamp()
),
forgotten AS (
  UPDATE pipeline.redactions r
     SET subject = NULL
    FROM chosen c
   WHERE r.request_key = c.idempotency_key
)
SELECT c.idempotency_key, c.event_id::text, s.shopify_domain::text, c.topic, r.id, r.status
  FROM chosen c
  LEFT JOIN shops s ON s.id = c.shop_id
  LEFT JOIN pipeline.redactions r ON r.request_key = c.idempotency_key
 ORDER BY c.received_at, c.idempotency_key
