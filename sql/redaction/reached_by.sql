-- The addresses and telephones of the rows that go (an order's may be others than its customer's), and whether another
-- customer has the same: then it is not the person's alone. Those that the request itself names are sought anyhow.
-- Telephones are compared as they are sought.
WITH going AS (
  SELECT lower(email::text) AS email, phone FROM shopify_orders WHERE id = ANY (%(orders)s)
   UNION
  SELECT lower(email::text), phone FROM shopify_customers WHERE id = ANY (%(customers)s)
),
staying AS MATERIALIZED (
  SELECT lower(email::text) AS email, right(regexp_replace(phone, '\D', '', 'g'), 9) AS digits
    FROM shopify_customers
   WHERE shop_id = %(shop_id)s
     AND id <> ALL (%(customers)s)
   UNION ALL
  SELECT lower(email::text), right(regexp_replace(phone, '\D', '', 'g'), 9)
    FROM shopify_orders
   WHERE shop_id = %(shop_id)s
     AND customer_id IS NOT NULL
     AND id <> ALL (%(orders)s)
)
SELECT 'email' AS kind, g.email AS said, EXISTS (SELECT FROM staying s WHERE s.email = g.email) AS is_shared
  FROM going g
 WHERE g.email <> ''
   AND g.email IS DISTINCT FROM lower(%(email)s::text)
 GROUP BY g.email
 UNION ALL
SELECT 'phone', g.phone,
       EXISTS (SELECT FROM staying s WHERE s.digits = right(regexp_replace(g.phone, '\D', '', 'g'), 9))
  FROM going g
 WHERE g.phone <> ''
   AND right(regexp_replace(g.phone, '\D', '', 'g'), 9)
       IS DISTINCT FROM right(regexp_replace(%(phone)s::text, '\D', '', 'g'), 9)
 GROUP BY g.phone
