-- Events that were set aside, and of how many these are the first: privacy requests before the others, then the newest.
SELECT k.idempotency_key, s.shopify_domain::text, e.topic, k.received_at, COALESCE(e.retry_count, 0),
       e.processing_error, count(*) OVER ()
  FROM pipeline.webhook_keys k
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
  LEFT JOIN shops s ON s.id = k.shop_id
 WHERE k.state = 'aside'
   AND (%(domain)s::citext IS NULL OR s.shopify_domain = %(domain)s::citext)
 ORDER BY e.topic = ANY (%(privacy)s) DESC, k.received_at DESC, k.idempotency_key
 LIMIT %(most)s
