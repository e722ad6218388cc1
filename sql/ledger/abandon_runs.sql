-- Staging and merging hold the lock of (shop, resource). Whoever holds it now knows that a step of another load that
-- still says it is running has died; one that was left between its steps is given a day. A run that waits for Shopify
-- has no process: what it waits for may take days.
UPDATE bulk_runs r
   SET status = 'failed',
       completed_at = clock_timestamp(),
       updated_at = now(),
       error_message = 'The process that ran this load ended before it did.'
 WHERE r.shop_id = %(shop_id)s
   AND r.query_type = %(resource)s
   AND r.operation_type = %(operation_type)s
   AND r.status IN ('pending', 'running')
   AND r.id <> %(run_id)s
   AND NOT (r.status = 'pending' AND r.cursor_state ? 'bulk')
   AND (r.created_at < now() - interval '1 day'
        OR EXISTS (SELECT
                     FROM bulk_steps s
                    WHERE s.bulk_run_id = r.id
                      AND s.status = 'running'
                      AND s.step_name = ANY (%(locked_steps)s)))
RETURNING r.id
