DELETE FROM bulk_runs WHERE id = ANY (%(run_ids)s::uuid[])
