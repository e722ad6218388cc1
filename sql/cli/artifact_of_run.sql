-- Where the result of an export is kept.
SELECT file_path
FROM bulk_artifacts
WHERE bulk_run_id = %(run_id)s
  AND artifact_type = 'jsonl'
