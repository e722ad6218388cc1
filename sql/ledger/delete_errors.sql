DELETE FROM bulk_errors WHERE bulk_run_id = ANY (%(run_ids)s::uuid[])
