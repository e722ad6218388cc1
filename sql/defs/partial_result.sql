-- Where the part is that came of an export that failed.
SELECT file_path FROM bulk_artifacts WHERE bulk_run_id = %(export)s AND artifact_type = 'partial'
