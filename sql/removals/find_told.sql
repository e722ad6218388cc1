-- The rows that are said to be gone: whether the mirror has them, and whether what it has is newer than what is said.
SELECT COALESCE(m.shopify_gid, told.gid),
       told.gone_at,
       m.{key} AS key,
       COALESCE(GREATEST({moments}, %(shown_through)s::timestamptz) > told.gone_at, false) AS newer
  FROM unnest(%(gids)s::text[], %(moments)s::timestamptz[]) AS told (gid, gone_at)
  LEFT JOIN {table} m ON m.shop_id = %(shop_id)s AND {named}
 ORDER BY told.gid
