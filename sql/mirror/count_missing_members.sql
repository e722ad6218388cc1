-- Lines folded into a column that name a row of another resource which the mirror does not have.
SELECT count(*)
  FROM pipeline.staging_children s
 WHERE s.bulk_run_id = %(run_id)s
   AND s.parent_table = {parent_table}
   AND s.field = {field}
   AND s.validation_status = 'valid'
   AND s.value ->> {gid_member} IS NOT NULL
   AND NOT EXISTS (SELECT FROM {table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = s.value ->> {gid_member})
