-- Rows as old as the export that it does not hold; and whether that is no wonder: nothing was linked with the row any more
-- when another went, and nothing newer is known of it.
SELECT m.{key}, m.shopify_gid, COALESCE(alone.since >= GREATEST({moments}), false)
  FROM {table} m
  LEFT JOIN (SELECT gid, max(r.gone_at) AS since
               FROM pipeline.removals r
              CROSS JOIN unnest(r.left_gids) AS gid
              WHERE r.shop_id = %(shop_id)s
              GROUP BY gid) AS alone ON alone.gid = m.shopify_gid
 WHERE m.shop_id = %(shop_id)s
   AND GREATEST({moments}) <= %(as_of)s
   AND NOT EXISTS (SELECT FROM pg_temp.seen_gids s WHERE s.gid = m.shopify_gid)
   {and_parent_seen}
   {and_told_only_here}
 ORDER BY m.shopify_gid
