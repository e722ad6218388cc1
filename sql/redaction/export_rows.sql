SELECT to_jsonb(t) FROM {table} t WHERE t.shop_id = %(shop_id)s AND t.id = ANY (%(keys)s)
