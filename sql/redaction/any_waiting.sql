-- Few events wait, and an index holds them alone; few redactions are under way.
SELECT EXISTS (SELECT
                 FROM pipeline.webhook_keys k
                 JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
                WHERE k.state = 'waiting'
                  AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request'))
       OR EXISTS (SELECT FROM pipeline.redactions WHERE kind = 'shop' AND status = 'running')
