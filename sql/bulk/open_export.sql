-- The ledger comes before the network. The key keeps a second run of the same query from beginning while this one is
-- under way. A scope that the shop is not known to have, and without which Shopify shows a part only, is written down:
-- what such an export asked for was not seen as a whole.
INSERT INTO bulk_runs (shop_id, operation_type, query_type, status, api_version, idempotency_key, cursor_state, started_at)
SELECT id, %(operation_type)s, %(resource)s, 'pending', api_version, %(key)s,
       %(state)s::jsonb || CASE WHEN %(whole_with)s::text = ANY (scopes) OR %(whole_with)s::text IS NULL THEN '{}'
                                ELSE jsonb_build_object('lacks', %(whole_with)s::text)
                           END,
       clock_timestamp()
  FROM shops
 WHERE id = %(shop_id)s
    ON CONFLICT (idempotency_key) DO NOTHING
RETURNING id
