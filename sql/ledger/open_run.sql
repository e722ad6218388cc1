-- The ledger comes before the work: a process that dies leaves a row that says what it was about.
INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, api_version, cursor_state, started_at)
SELECT id, %(operation_type)s, %(resource)s, 'running', api_version, %(state)s, clock_timestamp()
  FROM shops
 WHERE id = %(shop_id)s
RETURNING id
