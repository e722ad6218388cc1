DELETE FROM bulk_steps WHERE bulk_run_id = ANY (%(run_ids)s::uuid[])
