-- Files of loads that ended before a moment. Of each shop and resource that of the newest whole load stays, and so does
-- that of a refused removal for as long as somebody can still decide about it: none can be acted upon after a newer
-- whole load.
SELECT a.id, a.file_path
  FROM bulk_artifacts a
  JOIN bulk_runs r ON r.id = a.bulk_run_id
 WHERE a.deleted_at IS NULL
   AND a.id <> ALL (%(left)s::uuid[])
   AND r.status NOT IN ('pending', 'running')
   AND r.completed_at < %(before)s
   AND (r.status <> 'completed'
        OR NOT COALESCE((r.cursor_state ->> 'snapshot')::boolean, true)
        OR EXISTS (SELECT
                     FROM bulk_runs n
                     JOIN bulk_artifacts k ON k.bulk_run_id = n.id AND k.deleted_at IS NULL
                    WHERE n.shop_id = r.shop_id
                      AND n.query_type = r.query_type
                      AND n.status = 'completed'
                      AND COALESCE((n.cursor_state ->> 'snapshot')::boolean, true)
                      AND (COALESCE((n.cursor_state ->> 'as_of')::timestamptz, n.completed_at), n.id)
                          > (COALESCE((r.cursor_state ->> 'as_of')::timestamptz, r.completed_at), r.id)))
 ORDER BY a.created_at
 LIMIT %(limit)s
