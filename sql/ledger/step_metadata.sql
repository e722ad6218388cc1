-- What the newest completed run of a step left for the steps after it, wherever they run.
SELECT metadata
  FROM bulk_steps
 WHERE bulk_run_id = %(run_id)s
   AND step_name = %(step)s
   AND status = 'completed'
 ORDER BY started_at DESC
 LIMIT 1
