-- Every column of every row of a shop, as it stands.
SELECT * FROM {table} WHERE shop_id = %(shop_id)s
