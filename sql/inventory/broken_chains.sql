-- By shop: how many entries the ledger has, and how many of them do not add up or do not begin where the one before
-- ended. Entries follow each other by id: it is made while the level's row is locked.
WITH entry AS (
  SELECT shop_id, id, previous_quantity, delta, new_quantity,
         COALESCE(lag(new_quantity) OVER (PARTITION BY shop_id, variant_id, location_id ORDER BY id), 0) AS before
    FROM inventory_ledger
), judged AS (
  SELECT shop_id, (previous_quantity, new_quantity) IS DISTINCT FROM (before, before + delta) AS broken,
         format('entry %s goes from %s by %s to %s, after %s', id, previous_quantity, delta, new_quantity, before)
           AS words
    FROM entry
)
SELECT shops.shopify_domain, count(*), count(*) FILTER (WHERE broken), min(words) FILTER (WHERE broken)
  FROM judged
  JOIN shops ON shops.id = judged.shop_id
 GROUP BY 1
 ORDER BY 1
