-- The files of these runs that are still kept.
SELECT bulk_run_id, file_path
  FROM bulk_artifacts
 WHERE bulk_run_id = ANY (%(run_ids)s::uuid[])
   AND deleted_at IS NULL
