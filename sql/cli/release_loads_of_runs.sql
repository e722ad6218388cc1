-- These Dagster runs are dead. What the ledger still has as running of them was cut off: a file is loaded again by
-- whoever wants it; an export whose result is in the artifact store is let go of, for whoever asks for the same next.
WITH cut_off AS (
    UPDATE bulk_runs
       SET status = 'failed',
           completed_at = clock_timestamp(),
           updated_at = now(),
           error_message = %(error)s
     WHERE status IN ('pending', 'running')
       AND NOT cursor_state ? 'bulk'
       AND cursor_state ->> 'dagster_run_id' = ANY (%(dagster_run_ids)s::text[])
    RETURNING id
),
let_go AS (
    UPDATE bulk_runs
       SET cursor_state = cursor_state - 'taken_by',
           updated_at = now()
     WHERE status = 'running'
       AND cursor_state ? 'bulk'
       AND cursor_state ->> 'dagster_run_id' = ANY (%(dagster_run_ids)s::text[])
    RETURNING id
)
UPDATE bulk_steps
   SET status = 'failed',
       completed_at = clock_timestamp(),
       error_message = %(error)s
 WHERE status = 'running'
   AND bulk_run_id IN (SELECT id FROM cut_off UNION ALL SELECT id FROM let_go)
