SELECT id, shopify_shop_id, installed_at, uninstalled_at
  FROM shops
 WHERE shopify_domain = %(shop_domain)s
