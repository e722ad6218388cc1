-- How many tokens are sealed with a key other than the current one, by key version.
SELECT key_version, count(*)
FROM shops
WHERE key_version <> %(current)s AND access_token_ciphertext <> ''
GROUP BY key_version
ORDER BY key_version
