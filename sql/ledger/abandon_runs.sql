-- Whoever holds the lock of (shop, resource) is the only one loading it: older unfinished loads have died.
UPDATE bulk_runs
   SET status = 'failed',
       completed_at = clock_timestamp(),
       updated_at = now(),
       error_message = 'The process that ran this load ended before it did; load ' || %(run_id)s || ' took its place.'
 WHERE shop_id = %(shop_id)s
   AND query_type = %(resource)s
   AND operation_type = %(operation_type)s
   AND status IN ('pending', 'running')
   AND id <> %(run_id)s::uuid
RETURNING id
