-- The rows that stand under rows that go: their keys, and each one's place in the list of those.
SELECT m.{key}, told.place
  FROM {table} m
  JOIN unnest(%(keys)s::uuid[]) WITH ORDINALITY AS told (key, place) ON told.key = m.{column}
 ORDER BY 1
