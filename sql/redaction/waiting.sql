-- The privacy requests that wait: kept events; and redactions of shops that were begun and not ended, or left
-- something, whose events have gone with the shop. One that failed is tried again later and later, at last once an
-- hour, after the others. What they say is read one by one: one that cannot be read keeps no other waiting. What a
-- person has closed is not tried again.
WITH asked AS (
  SELECT k.idempotency_key AS key, s.shopify_domain::text AS domain, e.topic, k.triggered_at, k.received_at
    FROM pipeline.webhook_keys k
    JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
    JOIN shops s ON s.id = k.shop_id
   WHERE k.state = 'waiting'
     AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
   UNION ALL
  SELECT r.request_key, r.subject ->> 'domain', 'shop/redact', (r.subject ->> 'asked_at')::timestamptz,
         r.started_at
    FROM pipeline.redactions r
   WHERE r.kind = 'shop'
     AND r.status IN ('running', 'hindered', 'residue')
     AND r.subject IS NOT NULL
     AND NOT EXISTS (SELECT
                       FROM pipeline.webhook_keys k
                      WHERE k.idempotency_key = r.request_key
                        AND k.state = 'waiting')
     AND NOT EXISTS (SELECT FROM pipeline.dismissals d WHERE d.idempotency_key = r.request_key)
)
SELECT a.key, a.domain, a.topic, a.triggered_at
  FROM asked a
  LEFT JOIN pipeline.redactions r
    ON r.request_key = a.key
   AND (r.status = 'hindered' OR (r.status = 'residue' AND r.kind = 'shop'))
 WHERE r.id IS NULL
    OR r.tried_at < clock_timestamp() - LEAST(interval '1 minute' * r.attempts ^ 2, interval '1 hour')
 ORDER BY COALESCE(r.attempts, 0), a.received_at
 LIMIT %(most)s
