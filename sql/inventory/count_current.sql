SELECT count(*), count(DISTINCT shop_id) FROM inventory_current
