-- A command's run has ended, so whatever the ledger still has as running of it was cut off. An export that waits for
-- Shopify needs no process: it goes on with the next run, or by the sensor.
WITH cut_off AS (
    UPDATE bulk_runs
       SET status = 'failed',
           completed_at = clock_timestamp(),
           updated_at = now(),
           error_message = %(error)s
     WHERE status IN ('pending', 'running')
       AND NOT (status = 'pending' AND cursor_state ? 'bulk')
       AND cursor_state->>'dagster_run_id' = %(dagster_run_id)s
       AND shop_id = (SELECT id FROM shops WHERE shopify_domain = %(shop_domain)s)
    RETURNING id
)
UPDATE bulk_steps
   SET status = 'failed',
       completed_at = clock_timestamp(),
       error_message = %(error)s
 WHERE status = 'running'
   AND bulk_run_id IN (SELECT id FROM cut_off)
