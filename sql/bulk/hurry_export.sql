-- Shopify said that the operation has ended: do not wait for the next poll.
UPDATE bulk_runs
   SET cursor_state = jsonb_set(cursor_state, '{bulk,due}', 'null')
 WHERE shop_id = %(shop_id)s
   AND shopify_operation_id = %(operation_id)s
   AND status = 'pending'
RETURNING id
