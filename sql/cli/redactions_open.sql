-- Privacy requests that are not answered: not begun, under way, hindered, with something left over, set aside, or
-- refused of late; with one of the reasons. None that a person has closed. The law gives thirty days.
SELECT kind, status, count(*) AS requests, min(began) AS since, max(reason) AS reason,
       bool_or(status IN ('residue', 'aside') OR attempts >= 3 OR began < now() - interval '30 days') AS grave
FROM (
    SELECT kind, status, started_at AS began, attempts,
           CASE status
             WHEN 'running' THEN NULL
             WHEN 'residue' THEN 'something is still there: ' || COALESCE(
               (SELECT string_agg(place.key || ' (' || place.value || ')', ', ')
                FROM jsonb_each_text(proof -> 'found') AS place), 'see proof')
             ELSE error
           END AS reason
    FROM pipeline.redactions r
    WHERE (status IN ('running', 'hindered', 'residue')
           OR status = 'refused' AND completed_at > now() - interval '30 days')
      AND NOT EXISTS (SELECT FROM pipeline.dismissals d WHERE d.idempotency_key = r.request_key)
    UNION ALL
    SELECT e.topic, k.state, k.received_at, 0, CASE k.state WHEN 'aside' THEN e.processing_error END
    FROM pipeline.webhook_keys k
    JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
    WHERE k.state IN ('waiting', 'aside')
      AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')
      AND NOT EXISTS (
        SELECT FROM pipeline.redactions r
        WHERE r.request_key = k.idempotency_key AND r.status IN ('running', 'hindered', 'residue')
      )
) AS open
GROUP BY kind, status
ORDER BY kind, status
