-- A shop by its id or its domain, with its sealed token.
SELECT id,
       shopify_domain::text AS domain,
       api_version,
       uninstalled_at,
       access_token_ciphertext AS ciphertext,
       access_token_iv AS nonce,
       access_token_tag AS tag,
       key_version
FROM shops
WHERE id = %(shop_id)s::uuid OR shopify_domain = %(shop_domain)s::citext
