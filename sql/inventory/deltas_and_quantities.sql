-- By shop: of how many (variant, location) places the ledger's deltas and the mirror's available quantity were compared,
-- and how many differ. A place that only one of them has counts as nothing in the other.
WITH said AS (
  SELECT shop_id, variant_id, location_gid AS location, sum(COALESCE(available, 0)) AS quantity
    FROM pipeline.inventory_levels
   WHERE variant_id IS NOT NULL
   GROUP BY 1, 2, 3
), summed AS (
  SELECT shop_id, variant_id, location_id::text COLLATE "C" AS location, sum(delta) AS quantity
    FROM inventory_ledger
   GROUP BY 1, 2, 3
), place AS (
  SELECT shop_id, COALESCE(said.quantity, 0) <> COALESCE(summed.quantity, 0) AS differs,
         format('%s at %s: %s in the ledger, %s in the mirror', variant_id, location,
                COALESCE(summed.quantity, 0), COALESCE(said.quantity, 0)) AS words
    FROM said
    FULL JOIN summed USING (shop_id, variant_id, location)
)
SELECT shops.shopify_domain, count(*), count(*) FILTER (WHERE differs), min(words) FILTER (WHERE differs)
  FROM place
  JOIN shops ON shops.id = place.shop_id
 GROUP BY 1
 ORDER BY 1
