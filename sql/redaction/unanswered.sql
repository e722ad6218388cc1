-- Privacy requests that a person has to look at, and none has closed: what kind, how often it was tried, and why it is
-- not answered.
SELECT r.kind, r.status, r.attempts, r.started_at,
       CASE WHEN r.status = 'residue' THEN
         'something is still there: ' || COALESCE((SELECT string_agg(place.key || ' (' || place.value || ')', ', ')
                                                     FROM jsonb_each_text(r.proof -> 'found') AS place), 'see proof')
       ELSE r.error END AS reason,
       'pipeline.redactions ' || r.id AS place
  FROM pipeline.redactions r
 WHERE r.status IN ('hindered', 'residue')
   AND NOT EXISTS (SELECT FROM pipeline.dismissals d WHERE d.idempotency_key = r.request_key)
 UNION ALL
SELECT e.topic, 'aside', COALESCE(e.retry_count, 1), e.created_at, e.processing_error, 'webhook_events ' || e.id
  FROM pipeline.webhook_keys k
  JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
 WHERE k.state = 'aside'
   AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
   AND NOT EXISTS (SELECT
                     FROM pipeline.redactions r
                    WHERE r.request_key = k.idempotency_key
                      AND r.status = 'residue')
 ORDER BY 4
