-- Links to a node that is neither a valid row of this load nor in the mirror.
UPDATE pipeline.staging_links s
   SET validation_status = 'invalid',
       validation_errors = jsonb_build_array(jsonb_build_object(
         'code', 'orphan',
         'error', s.child_gid || ' is neither in the mirror nor among the valid lines of this file.'))
 WHERE s.bulk_run_id = %(run_id)s
   AND s.link_table = {link_table}
   AND s.validation_status = 'valid'
   AND NOT EXISTS (SELECT FROM {staging} c
                    WHERE c.bulk_run_id = %(run_id)s
                      AND c.validation_status = 'valid'
                      AND c.shopify_gid = s.child_gid)
   AND NOT EXISTS (SELECT FROM {table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = s.child_gid)
