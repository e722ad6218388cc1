DELETE FROM {staging} WHERE bulk_run_id = %(run_id)s
