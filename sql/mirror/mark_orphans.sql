-- Rows whose parent is neither a valid row of this load nor in the mirror.
UPDATE {staging} s
   SET validation_status = 'invalid',
       validation_errors = jsonb_build_array(jsonb_build_object(
         'code', 'orphan',
         'error', 'Its parent ' || COALESCE(s.{gid_column}, '(none)')
                  || ' is neither in the mirror nor among the valid lines of this file.'))
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND NOT EXISTS (SELECT FROM {parent_staging} p
                    WHERE p.bulk_run_id = %(run_id)s
                      AND p.validation_status = 'valid'
                      AND p.shopify_gid = s.{gid_column})
   AND NOT EXISTS (SELECT FROM {parent_table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = s.{gid_column})
