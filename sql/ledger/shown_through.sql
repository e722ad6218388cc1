-- The newest moment whose whole state was merged to the end for this resource. A row that such a load found as it was is
-- that new, though nothing was written to it. A load of events says nothing of the rows that it does not name.
SELECT max((cursor_state->>'as_of')::timestamptz)
  FROM bulk_runs
 WHERE shop_id = %(shop_id)s
   AND query_type = %(resource)s
   AND status = 'completed'
   AND COALESCE((cursor_state->>'snapshot')::boolean, true)
