UPDATE {table} SET {column} = NULL
 WHERE {column} IN (SELECT m.{key} FROM {refers_to} m WHERE m.shop_id = %(shop_id)s)
