-- Events past their time, their payloads among them. What is still to be done with one keeps it, by its key; a privacy
-- request that was set aside is still to be answered, unless a person has closed it.
DELETE FROM webhook_events e
 WHERE e.created_at < %(before)s
   AND NOT EXISTS (SELECT
                     FROM pipeline.webhook_keys k
                    WHERE k.idempotency_key = e.idempotency_key
                      AND k.state NOT IN ('done', 'dismissed')
                      AND (k.state <> 'aside'
                           OR e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')))
