SELECT cursor_state FROM bulk_runs WHERE id = %(run_id)s
