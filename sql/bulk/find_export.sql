-- The export of this query that is under way, or that this Dagster run has already brought in.
SELECT id
  FROM bulk_runs
 WHERE idempotency_key = %(key)s
    OR (shop_id = %(shop_id)s
        AND status = 'running'
        AND query_type = %(resource)s
        AND cursor_state -> 'bulk' ->> 'key' = %(key)s
        AND cursor_state ->> 'dagster_run_id' = NULLIF(%(dagster_run_id)s, ''))
 ORDER BY created_at DESC
 LIMIT 1
