-- Privacy requests that are not answered: not begun, under way, with something left over, or refused of late. The law
-- gives thirty days.
SELECT kind, status, count(*) AS requests, min(began) AS since, bool_or(began < now() - interval '30 days') AS overdue
FROM (
    SELECT kind, status, started_at AS began
    FROM pipeline.redactions
    WHERE status IN ('running', 'residue')
       OR status = 'refused' AND completed_at > now() - interval '30 days'
    UNION ALL
    SELECT e.topic, 'waiting', k.received_at
    FROM pipeline.webhook_keys k
    JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
    WHERE k.state = 'waiting'
      AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
) AS open
GROUP BY kind, status
ORDER BY kind, status
