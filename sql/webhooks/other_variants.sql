-- The mirror's variants of these products that are not among those that each of them has (GID: GIDs).
SELECT p.shopify_gid, v.shopify_gid
  FROM jsonb_each(%(there)s) AS o (product, variants)
  JOIN shops s ON s.shopify_domain = %(domain)s::citext
  JOIN shopify_products p ON p.shop_id = s.id AND p.shopify_gid = o.product
  JOIN shopify_variants v ON v.product_id = p.id
 WHERE NOT o.variants ? v.shopify_gid::text
