-- What became of claimed events: done, or tried once more in vain, or aside for good. After the nth try in vain the next
-- one comes 2^n minutes later. What a person has closed stays closed.
WITH settled AS (
  UPDATE pipeline.webhook_keys k
     SET state = o.state,
         not_before = CASE
           WHEN o.state = 'new' THEN clock_timestamp() + interval '1 minute' * 2 ^ (1 + COALESCE((
             SELECT e.retry_count
               FROM webhook_events e
              WHERE e.id = k.event_id
                AND e.created_at = k.received_at), 0))
         END
    FROM unnest(%(keys)s::text[], %(states)s::text[], %(reasons)s::text[]) AS o(key, state, reason)
   WHERE k.idempotency_key = o.key
     AND k.state <> 'dismissed'
  RETURNING k.event_id, k.received_at, o.state, o.reason
)
UPDATE webhook_events e
   SET processed_at = CASE WHEN s.state = 'done' THEN clock_timestamp() END,
       processing_error = s.reason,
       retry_count = COALESCE(e.retry_count, 0) + (s.reason IS NOT NULL)::int,
       job_id = %(job_id)s
  FROM settled s
 WHERE e.id = s.event_id
   AND e.created_at = s.received_at
