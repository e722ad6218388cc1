-- The next tokens of one key version, in the order of their shops.
SELECT id,
       shopify_domain::text AS domain,
       access_token_ciphertext AS ciphertext,
       access_token_iv AS nonce,
       access_token_tag AS tag,
       key_version
FROM shops
WHERE key_version = %(old)s AND access_token_ciphertext <> '' AND id > %(after)s
ORDER BY id
LIMIT %(limit)s
