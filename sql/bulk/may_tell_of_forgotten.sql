SELECT pipeline.may_tell_of_forgotten(r) FROM bulk_runs r WHERE r.id = %(run_id)s
