-- A removal that some event asked for; no load, so it has no artifact and shows no state of the shop.
INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, api_version, cursor_state, started_at)
SELECT id, %(operation_type)s, %(resource)s, 'running', api_version, %(state)s, clock_timestamp()
  FROM shops
 WHERE id = %(shop_id)s
RETURNING id
