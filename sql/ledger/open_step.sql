INSERT INTO bulk_steps (bulk_run_id, shop_id, step_name, status, started_at)
VALUES (%(run_id)s, %(shop_id)s, %(step)s, 'running', clock_timestamp())
RETURNING id
