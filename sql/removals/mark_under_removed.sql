-- What stands under a row that is older news and not in the mirror is as old.
UPDATE {staging} s
   SET validation_status = 'older'
  FROM {parent_staging} p
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND p.bulk_run_id = %(run_id)s
   AND p.validation_status = 'older'
   AND p.shopify_gid = s.{gid_column}
   AND NOT EXISTS (SELECT
                     FROM {parent_table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = p.shopify_gid)
