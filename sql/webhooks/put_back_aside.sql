-- Events that were set aside wait again, as if they had just come; by topic. What nothing here ever does stays aside.
WITH chosen AS (
  SELECT k.idempotency_key, e.id, e.created_at, e.topic
    FROM pipeline.webhook_keys k
    JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
    JOIN shops s ON s.id = k.shop_id
   WHERE k.state = 'aside'
     AND (%(domain)s::citext IS NULL OR s.shopify_domain = %(domain)s::citext)
     AND (%(ids)s::text[] IS NULL
          OR k.idempotency_key = ANY (%(ids)s::text[])
          OR k.event_id::text = ANY (%(ids)s::text[]))
     AND (e.topic = ANY (%(processed)s) OR e.topic = ANY (%(privacy)s))
     FOR UPDATE OF k
),
put_back AS (
  UPDATE pipeline.webhook_keys k
     SET state = CASE WHEN c.topic = ANY (%(privacy)s) THEN 'waiting' ELSE 'new' END,
         not_before = NULL
    FROM chosen c
   WHERE k.idempotency_key = c.idempotency_key
),
fresh AS (
  UPDATE webhook_events e
     SET retry_count = 0
    FROM chosen c
   WHERE e.id = c.id
     AND e.created_at = c.created_at
)
SELECT topic, count(*)
  FROM chosen
 GROUP BY topic
 ORDER BY topic
