-- The file was damaged, so links that it does not hold were kept: their rows are not what it says, look again next time.
UPDATE {parent_table} parent
   SET fingerprint = NULL
  FROM {parent_staging} s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND {share}
   AND parent.shop_id = %(shop_id)s
   AND parent.shopify_gid = s.shopify_gid
   AND parent.fingerprint IS NOT NULL
   AND EXISTS (SELECT
                 FROM {table} m
                 JOIN {child_table} child ON child.{child_key} = m.{child_column}
                WHERE m.{parent_column} = parent.id
                  AND NOT EXISTS (SELECT
                                    FROM pipeline.staging_links l
                                   WHERE l.bulk_run_id = %(run_id)s
                                     AND l.link_table = {link_table}
                                     AND l.validation_status = 'valid'
                                     AND l.parent_gid = s.shopify_gid
                                     AND l.child_gid = child.shopify_gid))
