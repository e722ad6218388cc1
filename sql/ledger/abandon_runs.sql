-- Staging, merging and removing hold the lock of (shop, resource). Whoever holds it now knows that a step of another run
-- that still says it is running has died, and so has a removal, which is never without the lock. A load that is between
-- its steps is given a day since it was last heard of. A run that waits for Shopify has no process: what it waits for may
-- take days. One that was only cut off from its lock begins again (reopen_run.sql).
UPDATE bulk_runs r
   SET status = 'failed',
       completed_at = clock_timestamp(),
       updated_at = now(),
       cursor_state = COALESCE(r.cursor_state, '{}') || '{"abandoned": true}',
       error_message = 'The process that ran this load ended before it did.'
 WHERE r.shop_id = %(shop_id)s
   AND r.query_type = %(resource)s
   AND r.status IN ('pending', 'running')
   AND r.id <> %(run_id)s
   AND NOT (r.status = 'pending' AND r.cursor_state ? 'bulk')
   AND (r.operation_type = %(removal)s
        OR pipeline.last_sign(r) < now() - interval '1 day'
        OR EXISTS (SELECT
                     FROM bulk_steps s
                    WHERE s.bulk_run_id = r.id
                      AND s.status = 'running'
                      AND s.step_name = ANY (%(locked_steps)s)))
RETURNING r.id
