-- The export of this query that is under way. Or whose whole result nobody loads: it is taken further by this Dagster
-- run, by the one that this run repeats, or by nobody (its process was killed before it took it, or after, and the run
-- was found dead); for a day since it was last heard of, as abandon_runs.sql has it.
SELECT id
  FROM bulk_runs r
 WHERE idempotency_key = %(key)s
    OR (shop_id = %(shop_id)s
        AND status = 'running'
        AND query_type = %(resource)s
        AND cursor_state -> 'bulk' ->> 'key' = %(key)s
        AND (cursor_state ->> 'dagster_run_id' = NULLIF(%(dagster_run_id)s, '')
             OR cursor_state ->> 'taken_by' = NULLIF(%(first_run_id)s, '')
             OR (NOT cursor_state ? 'taken_by' AND pipeline.last_sign(r) > now() - interval '1 day')))
 ORDER BY created_at DESC
 LIMIT 1
