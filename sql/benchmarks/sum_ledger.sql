-- Of each variant at a location: what the shop's entries add up to, and whether each begins where the one before it ended
-- and ends there plus its delta. Entries follow each other by id: it is made while the level's row is locked.
WITH entry AS (
  SELECT variant_id, location_id, delta, previous_quantity, new_quantity,
         COALESCE(lag(new_quantity) OVER (PARTITION BY variant_id, location_id ORDER BY id), 0) AS before
    FROM {table}
   WHERE shop_id = %(shop_id)s
)
SELECT variant_id, location_id, sum(delta) AS quantity,
       bool_and((previous_quantity, new_quantity) IS NOT DISTINCT FROM (before, before + delta)) AS unbroken
  FROM entry
 GROUP BY variant_id, location_id
