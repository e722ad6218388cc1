-- Under which domain the shop of this number is here.
SELECT shopify_domain::text FROM shops WHERE shopify_shop_id = %(number)s
