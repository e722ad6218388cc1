-- A row that the export holds: Shopify has to know it, or its answer about the others is not believed.
SELECT m.shopify_gid
  FROM {table} m
 WHERE m.shop_id = %(shop_id)s
   AND EXISTS (SELECT FROM pg_temp.seen_gids s WHERE s.gid = m.shopify_gid)
 LIMIT 1
