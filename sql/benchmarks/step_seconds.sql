SELECT extract(epoch FROM sum(completed_at - started_at))::float8
  FROM bulk_steps
 WHERE bulk_run_id = %(run_id)s
   AND step_name = %(step)s
