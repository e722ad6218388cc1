-- A node that has no time of change of its own is as old as the row under which its line stands.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM pipeline.staging_links l
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND l.bulk_run_id = %(run_id)s
   AND l.validation_status = 'older'
   AND l.line_number = s.line_number
