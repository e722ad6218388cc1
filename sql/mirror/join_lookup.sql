LEFT JOIN {table} looked_up ON looked_up.shop_id = %(shop_id)s AND looked_up.shopify_gid = s.{gid_column}
