DELETE FROM bulk_errors WHERE bulk_run_id = %(run_id)s
