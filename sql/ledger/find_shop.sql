SELECT id, currency_code FROM shops WHERE shopify_domain = %(shop_domain)s
