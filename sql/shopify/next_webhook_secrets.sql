-- The next webhook secrets of one key version, in the order of their shops.
SELECT id, shopify_domain::text AS domain, webhook_secret AS sealed
FROM shops
WHERE substr(webhook_secret, 1, 4) = int4send(%(old)s) AND id > %(after)s
ORDER BY id
LIMIT %(limit)s
