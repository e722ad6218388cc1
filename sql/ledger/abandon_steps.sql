UPDATE bulk_steps
   SET status = 'failed',
       completed_at = clock_timestamp(),
       error_message = 'The process that ran this step ended before it did.'
 WHERE bulk_run_id = ANY (%(run_ids)s)
   AND status = 'running'
