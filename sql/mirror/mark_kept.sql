-- Rows whose line does not carry all that a row needs, and that the mirror has: they keep the rest. validation_errors
-- holds the names of the columns that the line says nothing about.
UPDATE {staging} s
   SET validation_status = 'valid'
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'incomplete'
   AND EXISTS (SELECT FROM {table} m
                WHERE m.shop_id = %(shop_id)s
                  AND m.shopify_gid = s.shopify_gid)
