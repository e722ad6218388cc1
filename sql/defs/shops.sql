-- Every shop and whether it is installed, in the order of the unique index on its domain.
SELECT shopify_domain::text, uninstalled_at IS NULL AS installed
FROM shops
ORDER BY shopify_domain
