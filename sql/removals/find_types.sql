-- The types of these rows.
SELECT DISTINCT m.type
  FROM {table} m
 WHERE m.shop_id = %(shop_id)s
   AND m.{key} = ANY (%(keys)s)
 ORDER BY m.type
