-- An answered request is needed no more; it says whom it was about, also in ways in which nobody else is sought.
UPDATE webhook_events e
   SET payload = '{"redacted": true}'
  FROM pipeline.webhook_keys k
 WHERE k.idempotency_key = %(request_key)s
   AND e.id = k.event_id
   AND e.created_at = k.received_at
