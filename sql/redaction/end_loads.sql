-- A load whose artifact was deleted cannot be gone on with.
UPDATE bulk_runs r
   SET status = 'failed',
       completed_at = clock_timestamp(),
       updated_at = now(),
       error_message = 'Its artifact was deleted: it held data of a customer that had to be redacted.'
  FROM bulk_artifacts a
 WHERE a.bulk_run_id = r.id
   AND a.file_path = ANY (%(paths)s)
   AND r.status = 'running'
