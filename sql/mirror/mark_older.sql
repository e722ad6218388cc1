-- Rows of which the mirror holds a newer version: this export is older there, and never overwrites it.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {table} m
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND m.shop_id = %(shop_id)s
   AND m.shopify_gid = s.shopify_gid
   AND (m.{version} > s.{version} OR (m.{version} IS NOT DISTINCT FROM s.{version} AND m.synced_at > %(as_of)s))
