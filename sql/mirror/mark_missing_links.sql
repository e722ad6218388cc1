-- Links to rows of another resource that are not in the mirror: no fault of the line. The row is merged without them and
-- looked at again by every later load, until they are there.
UPDATE pipeline.staging_links s
   SET validation_status = 'missing'
 WHERE s.bulk_run_id = %(run_id)s
   AND s.link_table = {link_table}
   AND s.validation_status = 'valid'
   AND NOT EXISTS (SELECT FROM {table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = s.child_gid)
