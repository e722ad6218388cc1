UPDATE bulk_artifacts SET rows_count = %(rows)s WHERE bulk_run_id = %(run_id)s
