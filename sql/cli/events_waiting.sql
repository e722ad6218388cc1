-- New events, and for how many minutes the oldest has waited, if that is long. An index holds the new ones alone.
SELECT count(*) AS events,
       CASE WHEN min(received_at) < now() - interval '10 minutes'
            THEN (extract(epoch FROM now() - min(received_at)) / 60)::bigint
       END AS minutes
FROM pipeline.webhook_keys
WHERE state = 'new'
