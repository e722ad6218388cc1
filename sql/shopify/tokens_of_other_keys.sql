-- How many tokens and webhook secrets are sealed with a key other than the current one, by key version. A webhook secret
-- begins with its own.
SELECT key_version, count(*)
FROM (
    SELECT key_version
    FROM shops
    WHERE access_token_ciphertext <> ''
    UNION ALL
    SELECT ('x' || encode(substr(webhook_secret, 1, 4), 'hex'))::bit(32)::int
    FROM shops
    WHERE webhook_secret IS NOT NULL
) AS sealed
WHERE key_version <> %(current)s
GROUP BY key_version
ORDER BY key_version
