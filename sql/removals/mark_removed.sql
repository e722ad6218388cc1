-- Rows that were removed from the mirror at a later moment than the staged one shows: older news.
UPDATE {staging} s
   SET validation_status = 'older'
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND EXISTS (SELECT
                 FROM pipeline.removals r
                WHERE r.shop_id = %(shop_id)s
                  AND r.shopify_gid = {named}
                  AND r.gone_at >= GREATEST({told_at}, {version}))
   AND NOT EXISTS (SELECT
                     FROM {table} m
                    WHERE m.shop_id = %(shop_id)s
                      AND m.shopify_gid = s.shopify_gid)
