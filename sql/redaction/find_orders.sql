-- The orders that are named, those of the customer, and those that hold what names the person.
SELECT o.id, o.legacy_resource_id
  FROM shopify_orders o
 WHERE o.shop_id = %(shop_id)s
   AND (o.legacy_resource_id = ANY (%(orders)s)
        OR o.customer_id = ANY (%(customers)s)
        OR o.email = NULLIF(%(email)s, '')::citext
        OR o::text ~* %(pattern)s)
