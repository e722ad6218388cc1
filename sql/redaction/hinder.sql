-- What was begun and failed, why, and that it is to be tried again.
UPDATE pipeline.redactions
   SET status = 'hindered',
       error = %(error)s
 WHERE request_key = %(request_key)s
   AND status IN ('running', 'hindered')
