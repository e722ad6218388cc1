-- Whether a shop is installed, and whether it has a token: where its exports come from.
SELECT uninstalled_at IS NULL AS installed, access_token_ciphertext <> ''::bytea AS has_token
FROM shops
WHERE shopify_domain = %(shop_domain)s::citext
