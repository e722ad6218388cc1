-- Rows as old as the export that it does not hold.
SELECT m.{key}, m.shopify_gid
  FROM {table} m
 WHERE m.shop_id = %(shop_id)s
   AND GREATEST({moments}) <= %(as_of)s
   AND NOT EXISTS (SELECT FROM pg_temp.seen_gids s WHERE s.gid = m.shopify_gid)
   {and_parent_seen}
   {and_told_only_here}
 ORDER BY m.shopify_gid
