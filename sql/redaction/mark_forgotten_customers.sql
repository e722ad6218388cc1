-- Whoever was forgotten since this was read: since the file was taken, unless the row itself shows a later moment.
UPDATE pipeline.staging_customers s
   SET validation_status = 'older'
 WHERE s.bulk_run_id = %(run_id)s
   AND EXISTS (SELECT
                 FROM pipeline.forgotten f
                WHERE f.shop_id = %(shop_id)s
                  AND f.digest IN (pipeline.digest_of(%(shop_id)s, s.shopify_gid),
                                   pipeline.digest_of(%(shop_id)s, 'email:' || s.email))
                  AND f.forgotten_at >= COALESCE(GREATEST(%(said_as_of)s::timestamptz, s.updated_at_shopify),
                                                 '-infinity'))
