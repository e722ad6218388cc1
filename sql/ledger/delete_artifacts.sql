DELETE FROM bulk_artifacts WHERE bulk_run_id = ANY (%(run_ids)s::uuid[])
