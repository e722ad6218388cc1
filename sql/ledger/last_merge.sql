-- The merge or removal that was last begun for this shop and resource, ended or not: what was compared with the mirror
-- before it may be old. One that died after its commit changed the mirror as well as one that completed.
SELECT s.id
  FROM bulk_runs r
  JOIN bulk_steps s ON s.bulk_run_id = r.id
 WHERE r.shop_id = %(shop_id)s
   AND r.query_type = %(resource)s
   AND s.step_name IN ('merge', 'removal')
 ORDER BY s.started_at DESC
 LIMIT 1
