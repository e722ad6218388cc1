-- The rows that rows that go name by their GIDs, and that are there for their sake: their keys, and each one's place in
-- the list of those.
SELECT DISTINCT ON (o.id) o.id, told.place
  FROM unnest(%(keys)s::uuid[]) WITH ORDINALITY AS told (key, place)
  JOIN {table} m ON m.id = told.key
  JOIN {other} o ON o.shop_id = m.shop_id AND o.shopify_gid = m.{column} COLLATE "C"
 ORDER BY o.id, told.place
