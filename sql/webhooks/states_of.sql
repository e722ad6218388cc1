-- What has become of these events, by either name; of those that were closed long ago only that is known.
SELECT k.idempotency_key, k.event_id::text, k.state
  FROM pipeline.webhook_keys k
 WHERE k.idempotency_key = ANY (%(events)s::text[])
    OR k.event_id::text = ANY (%(events)s::text[])
 UNION ALL
SELECT d.idempotency_key, '', 'dismissed'
  FROM pipeline.dismissals d
 WHERE d.idempotency_key = ANY (%(events)s::text[])
   AND NOT EXISTS (SELECT FROM pipeline.webhook_keys k WHERE k.idempotency_key = d.idempotency_key)
