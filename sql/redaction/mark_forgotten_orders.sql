-- The orders that a redaction deletes: those that were named, the customer's, and those of nobody's account with the
-- customer's address. They are not let in by what was read before it.
UPDATE pipeline.staging_orders s
   SET validation_status = 'older'
 WHERE s.bulk_run_id = %(run_id)s
   AND EXISTS (SELECT
                 FROM pipeline.forgotten f
                WHERE f.shop_id = %(shop_id)s
                  AND f.digest IN (pipeline.digest_of(%(shop_id)s, s.shopify_gid),
                                   pipeline.digest_of(%(shop_id)s, s.customer_gid),
                                   CASE WHEN s.customer_gid IS NULL
                                        THEN pipeline.digest_of(%(shop_id)s, 'email:' || s.email)
                                   END)
                  AND f.forgotten_at >= COALESCE(GREATEST(%(said_as_of)s::timestamptz, s.updated_at_shopify),
                                                 '-infinity'))
