-- Each shop, and what the mirror holds of it.
SELECT s.shopify_domain::text AS shop,
       s.plan_tier,
       s.uninstalled_at IS NULL AS installed,
       (SELECT count(*) FROM shopify_products p WHERE p.shop_id = s.id) AS products,
       (SELECT count(*) FROM shopify_variants v WHERE v.shop_id = s.id) AS variants
FROM shops s
ORDER BY s.shopify_domain
