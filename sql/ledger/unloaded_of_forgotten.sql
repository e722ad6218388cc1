-- Loads whose files are in the store, are from before somebody was forgotten, and that nobody goes on with.
SELECT r.id, r.shop_id, s.shopify_domain::text, r.query_type
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
 WHERE r.status = 'running'
   AND r.updated_at < %(before)s
   AND pipeline.may_tell_of_forgotten(r)
   AND EXISTS (SELECT FROM bulk_artifacts a WHERE a.bulk_run_id = r.id AND a.deleted_at IS NULL)
   AND NOT EXISTS (SELECT
                     FROM bulk_steps b
                    WHERE b.bulk_run_id = r.id
                      AND GREATEST(b.started_at, b.completed_at) >= %(before)s)
 ORDER BY r.id
