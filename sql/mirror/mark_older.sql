-- Rows of which the mirror holds a newer version: this export is older there, and never overwrites it. Where either has
-- no time of change (the query did not select it), the moments of the exports decide.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {table} m
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND m.shop_id = %(shop_id)s
   AND m.shopify_gid = s.shopify_gid
   AND (m.{version} > s.{version}
        OR (COALESCE(m.{version} = s.{version}, true) AND GREATEST(m.synced_at, %(shown_through)s) > %(as_of)s))
