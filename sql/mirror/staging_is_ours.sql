-- No other load that is under way has rows here; what loads that are over left may go too.
SELECT NOT EXISTS (SELECT
                     FROM {staging} s
                     JOIN bulk_runs r ON r.id = s.bulk_run_id
                    WHERE r.status = 'running'
                      AND r.id <> %(run_id)s)
