-- Runs that are under way and that nobody goes on with: not heard of for a day; or, where the file that is in the store is
-- from before somebody was forgotten, for less. A run that waits for Shopify has no process: it is none of them.
SELECT r.id, r.shop_id, s.shopify_domain::text, r.query_type, told.tells
  FROM bulk_runs r
  JOIN shops s ON s.id = r.shop_id
 CROSS JOIN LATERAL (SELECT pipeline.may_tell_of_forgotten(r)
                            AND EXISTS (SELECT
                                          FROM bulk_artifacts a
                                         WHERE a.bulk_run_id = r.id
                                           AND a.deleted_at IS NULL) AS tells) AS told
 WHERE r.status = 'running'
   AND pipeline.last_sign(r) < CASE WHEN told.tells THEN %(untouched)s ELSE %(dead)s END
 ORDER BY r.id
