-- The shops, without their secrets.
SELECT shopify_domain::text AS domain,
       uninstalled_at IS NULL AS installed,
       access_token_ciphertext <> '' AS token,
       CASE WHEN access_token_ciphertext <> '' THEN key_version END AS key_version,
       api_version,
       shopify_shop_id AS shopify_id,
       ARRAY(SELECT domain::text FROM pipeline.former_domains WHERE shop_id = shops.id ORDER BY renamed_at) AS formerly,
       currency_code AS currency,
       timezone,
       scopes,
       installed_at,
       uninstalled_at
FROM shops
ORDER BY shopify_domain
