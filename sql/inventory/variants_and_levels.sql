-- By shop: of how many variants what Shopify says they have in all was compared with the sum of their levels, and how
-- many differ. Only what Shopify counts (tracked), and only variants that have a level in the mirror.
WITH summed AS (
  SELECT l.shop_id, l.variant_id, sum(l.available) AS quantity
    FROM pipeline.inventory_levels l
    LEFT JOIN pipeline.inventory_items i ON i.shop_id = l.shop_id AND i.shopify_gid = l.inventory_item_gid
   WHERE l.variant_id IS NOT NULL
     AND COALESCE(i.tracked, true)
   GROUP BY 1, 2
), variant AS (
  SELECT s.shop_id, s.quantity IS DISTINCT FROM v.inventory_quantity AS differs,
         format('%s has %s in all, %s by its levels', v.shopify_gid, v.inventory_quantity, s.quantity) AS words
    FROM summed s
    JOIN shopify_variants v ON v.id = s.variant_id
)
SELECT shops.shopify_domain, count(*), count(*) FILTER (WHERE differs), min(words) FILTER (WHERE differs)
  FROM variant
  JOIN shops ON shops.id = variant.shop_id
 GROUP BY 1
 ORDER BY 1
