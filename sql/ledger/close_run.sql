-- What was merged to its end stays completed, whatever fails while it is tidied up.
UPDATE bulk_runs
   SET status = %(status)s,
       completed_at = clock_timestamp(),
       updated_at = now(),
       records_processed = COALESCE(%(records)s, records_processed),
       bytes_processed = COALESCE(%(bytes)s, bytes_processed),
       error_message = %(error)s
 WHERE id = %(run_id)s
   AND NOT (status = 'completed' AND %(status)s = 'failed')
