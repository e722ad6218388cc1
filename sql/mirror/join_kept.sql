-- What the mirror has of rows whose lines are incomplete. One that has gone since they were judged is left out.
LEFT JOIN {table} kept ON s.validation_errors IS NOT NULL
                      AND kept.shop_id = %(shop_id)s
                      AND kept.shopify_gid = s.shopify_gid
JOIN (SELECT) AS there ON s.validation_errors IS NULL OR kept.shop_id IS NOT NULL
