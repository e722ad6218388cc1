UPDATE bulk_artifacts SET deleted_at = clock_timestamp() WHERE file_path = ANY (%(paths)s) AND deleted_at IS NULL
