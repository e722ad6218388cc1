-- The ledger comes before the network. The key keeps a second run of the same query from beginning while this one is
-- under way.
INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, api_version, idempotency_key, cursor_state, started_at)
SELECT id, %(operation_type)s, %(resource)s, 'pending', api_version, %(key)s, %(state)s, clock_timestamp()
  FROM shops
 WHERE id = %(shop_id)s
    ON CONFLICT (idempotency_key) DO NOTHING
RETURNING id
