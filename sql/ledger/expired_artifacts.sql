-- Files of loads that were made of events (no snapshot, not asked of Shopify, not a file that was cut off) and that ended
-- a while ago: the events say the same. And at once what tells of a customer who was forgotten, or may
-- and was not loaded: only a load finds out.
SELECT a.id, a.file_path
  FROM bulk_artifacts a
  JOIN bulk_runs r ON r.id = a.bulk_run_id
 WHERE a.deleted_at IS NULL
   AND a.id <> ALL (%(left)s::uuid[])
   AND r.status IN ('completed', 'failed')
   AND ((r.cursor_state->>'snapshot' = 'false' AND NOT r.cursor_state ?| '{bulk, cut_off}' AND r.completed_at < %(before)s)
        OR r.cursor_state ? 'tells_of_forgotten'
        OR r.status = 'failed' AND pipeline.may_tell_of_forgotten(r))
 ORDER BY a.created_at
 LIMIT %(limit)s
