-- Every webhook secret that a shop has of its own, sealed.
SELECT id, shopify_domain::text AS domain, webhook_secret AS sealed
FROM shops
WHERE webhook_secret IS NOT NULL
ORDER BY shopify_domain
