DELETE FROM {table} WHERE shop_id = %(shop_id)s
