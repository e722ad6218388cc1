-- All shops but one.
SELECT id
FROM shops
WHERE shopify_domain <> %(shop)s::citext
