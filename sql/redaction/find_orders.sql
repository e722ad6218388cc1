-- The orders that are named, those of the customer (the mirror may not have the customer's row, or have it no more), and
-- those with the customer's address that no account made of which the mirror has a row: an account that it does not have
-- may be an earlier one of the same person. What else holds the person's telephone or address may be somebody else's
-- order: there it is written over.
SELECT o.id, o.legacy_resource_id
  FROM shopify_orders o
 WHERE o.shop_id = %(shop_id)s
   AND (o.legacy_resource_id = ANY (%(orders)s)
        OR o.customer_id = ANY (%(customers)s)
        OR o.customer_gid = ANY (%(gids)s)
        OR (o.customer_id IS NULL AND o.email = NULLIF(%(email)s, '')::citext))
