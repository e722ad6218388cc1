DELETE FROM shops WHERE id = %(shop_id)s
