-- The privacy requests that wait, the oldest first.
SELECT k.idempotency_key AS key, s.shopify_domain::text AS domain, e.topic, e.payload, k.triggered_at
  FROM pipeline.webhook_keys k
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
  JOIN shops s ON s.id = k.shop_id
 WHERE k.state = 'waiting'
   AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
 ORDER BY k.received_at
 LIMIT %(most)s
