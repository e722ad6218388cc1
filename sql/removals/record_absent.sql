-- What the mirror did not have (any more): older news of it, on its way by another road, must not bring it in.
INSERT INTO pipeline.removals
       (shop_id, shopify_gid, gone_at, table_name, reason, told_by, was_here, confirmed, bulk_run_id)
SELECT %(shop_id)s, told.gid, told.gone_at, %(table_name)s, %(reason)s, %(told_by)s, false, %(confirmed)s, %(run_id)s
  FROM unnest(%(gids)s::text[], %(moments)s::timestamptz[]) AS told (gid, gone_at)
    ON CONFLICT (shop_id, shopify_gid, gone_at) DO NOTHING
