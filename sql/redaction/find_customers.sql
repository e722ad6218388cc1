SELECT id, shopify_gid
  FROM shopify_customers
 WHERE shop_id = %(shop_id)s
   AND (shopify_gid = %(gid)s OR email = NULLIF(%(email)s, '')::citext)
