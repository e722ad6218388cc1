-- What was begun and is not to be ended.
UPDATE pipeline.redactions
   SET status = 'refused',
       error = %(error)s,
       subject = NULL,
       completed_at = clock_timestamp()
 WHERE request_key = %(request_key)s
   AND status <> 'completed'
