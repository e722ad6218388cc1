-- Rows of the mirror, each with a record of why; what stood under another row and goes with it says so. And
-- what was linked with nothing else, and stays.
WITH gone AS (
  DELETE FROM {table} m
   USING unnest(%(keys)s::uuid[], %(gids)s::text[], %(moments)s::timestamptz[]) AS told (key, gid, gone_at)
    LEFT JOIN (SELECT key, array_agg(gid ORDER BY gid) AS gids
                 FROM unnest(%(left_by)s::uuid[], %(left_gids)s::text[]) AS l (key, gid)
                GROUP BY key) AS alone ON alone.key = told.key
   WHERE m.{key} = told.key
  RETURNING m.shop_id, m.shopify_gid, told.gid, told.gone_at, alone.gids
), recorded AS (
  INSERT INTO pipeline.removals
         (shop_id, shopify_gid, gone_at, table_name, reason, told_by, with_gid, was_here, confirmed, bulk_run_id,
          left_gids)
  SELECT shop_id, shopify_gid, gone_at, %(table_name)s, %(reason)s, %(told_by)s, NULLIF(gid, shopify_gid), true,
         %(confirmed)s, %(run_id)s, gids
    FROM gone
  ON CONFLICT (shop_id, shopify_gid, gone_at) DO NOTHING
)
SELECT count(*) FROM gone
