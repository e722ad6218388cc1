-- The domains of installed shops, the newest first.
SELECT shopify_domain::text
FROM shops
WHERE uninstalled_at IS NULL
ORDER BY id DESC
