DELETE FROM {staging} s
 WHERE s.bulk_run_id = %(run_id)s
    OR NOT EXISTS (SELECT FROM bulk_runs r WHERE r.id = s.bulk_run_id AND r.status = 'running')
