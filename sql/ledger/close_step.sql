UPDATE bulk_steps
   SET status = %(status)s,
       completed_at = clock_timestamp(),
       records_processed = %(records)s,
       error_message = %(error)s,
       metadata = %(metadata)s
 WHERE id = %(step_id)s
