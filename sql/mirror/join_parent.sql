JOIN {table} parent ON parent.shop_id = %(shop_id)s AND parent.shopify_gid = s.{gid_column}
