-- Events past their time, their payloads among them. What is still to be done with one keeps it, by its key.
DELETE FROM webhook_events e
 WHERE e.created_at < %(before)s
   AND NOT EXISTS (SELECT
                     FROM pipeline.webhook_keys k
                    WHERE k.idempotency_key = e.idempotency_key
                      AND k.state NOT IN ('done', 'aside'))
