-- Every access token that is kept, sealed.
SELECT id,
       shopify_domain::text AS domain,
       access_token_ciphertext AS ciphertext,
       access_token_iv AS nonce,
       access_token_tag AS tag,
       key_version
FROM shops
WHERE access_token_ciphertext <> ''::bytea
ORDER BY shopify_domain
