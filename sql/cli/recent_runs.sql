-- The newest loads of the ledger; a removal that an event asked for is none. Of a file that was cut off only what it
-- holds is there: that is not complete.
SELECT r.id,
       s.shopify_domain::text AS shop,
       r.query_type AS resource,
       CASE WHEN r.status = 'completed' AND r.cursor_state ? 'cut_off' THEN 'incomplete' ELSE r.status END AS status,
       r.started_at,
       extract(epoch FROM coalesce(r.completed_at, now()) - r.started_at)::float8 AS seconds,
       r.records_processed AS records,
       r.bytes_processed AS bytes,
       (SELECT count(*) FROM bulk_errors e WHERE e.bulk_run_id = r.id) AS rejected,
       r.error_message AS error,
       r.status = 'pending' AND r.cursor_state ? 'bulk' AS waits_for_shopify,
       (r.cursor_state -> 'bulk' ->> 'due')::timestamptz AS due
FROM bulk_runs r
JOIN shops s ON s.id = r.shop_id
WHERE r.operation_type NOT LIKE '%%\_REMOVAL'
ORDER BY r.id DESC
LIMIT %(limit)s
