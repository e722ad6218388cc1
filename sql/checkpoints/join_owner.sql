LEFT JOIN {table} {alias} ON {alias}.shop_id = %(shop_id)s AND {alias}.shopify_gid = r.parent_gid
    LEFT JOIN {root} {root_alias} ON {root_alias}.id = {alias}.{column}
