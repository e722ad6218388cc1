-- Links that the file no longer holds, of rows whose links it holds completely.
DELETE FROM {table} m
 USING {parent_staging} s
  JOIN {parent_table} parent ON parent.shop_id = %(shop_id)s AND parent.shopify_gid = s.shopify_gid
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND {share}
   AND m.{parent_column} = parent.id
   {unless_kept}
   {unless_told}
   AND NOT EXISTS (SELECT
                     FROM pipeline.staging_links l
                     JOIN {child_table} child ON child.shop_id = %(shop_id)s AND child.shopify_gid = l.child_gid
                    WHERE l.bulk_run_id = %(run_id)s
                      AND l.link_table = {link_table}
                      AND l.validation_status = 'valid'
                      AND l.parent_gid = s.shopify_gid
                      AND child.{child_key} = m.{child_column})
