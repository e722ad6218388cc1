SELECT EXISTS (SELECT FROM pipeline.removals WHERE shop_id = %(shop_id)s)
