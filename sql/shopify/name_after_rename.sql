-- What the shop is called now that was called so.
SELECT s.shopify_domain::text
FROM pipeline.former_domains AS f
JOIN shops AS s ON s.id = f.shop_id
WHERE f.domain = %(shop_domain)s::citext
