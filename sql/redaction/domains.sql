-- The names that a shop has and had here: its files lie in folders named after each.
SELECT shopify_domain::text FROM shops WHERE id = %(shop_id)s
 UNION
SELECT domain::text FROM pipeline.former_domains WHERE shop_id = %(shop_id)s
 ORDER BY 1
