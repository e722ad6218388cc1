-- The newest moment whose state of the shop was merged to the end for this resource. A row that such a load found as it
-- was is that new, though nothing was written to it.
SELECT max((cursor_state->>'as_of')::timestamptz)
  FROM bulk_runs
 WHERE shop_id = %(shop_id)s
   AND query_type = %(resource)s
   AND status = 'completed'
