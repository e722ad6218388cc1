-- The load that last changed this shop's rows of this resource: what was compared with the mirror before it is old.
SELECT id
  FROM bulk_runs
 WHERE shop_id = %(shop_id)s
   AND query_type = %(resource)s
   AND status = 'completed'
 ORDER BY completed_at DESC
 LIMIT 1
