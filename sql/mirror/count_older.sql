SELECT count(*) FROM {staging} WHERE bulk_run_id = %(run_id)s AND validation_status = 'older'
