-- What a variant costs, as the mirror has it.
SELECT v.price
FROM shopify_variants v
JOIN shops s ON s.id = v.shop_id
WHERE s.shopify_domain = %(shop)s::citext
  AND v.shopify_gid = %(variant)s
