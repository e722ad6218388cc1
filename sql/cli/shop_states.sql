-- Each shop, what the mirror holds of it, and when it was last loaded.
SELECT s.shopify_domain::text AS shop,
       s.plan_tier,
       s.uninstalled_at IS NULL AS installed,
       (SELECT count(*) FROM shopify_products p WHERE p.shop_id = s.id) AS products,
       (SELECT count(*) FROM shopify_variants v WHERE v.shop_id = s.id) AS variants,
       (SELECT max(r.completed_at) FROM bulk_runs r WHERE r.shop_id = s.id AND r.status = 'completed') AS last_loaded_at
FROM shops s
ORDER BY s.shopify_domain
