-- A webhook secret under another key, unless the shop was given another one in the meantime: then that one stays.
UPDATE shops SET webhook_secret = %(fresh)s, updated_at = now() WHERE id = %(shop_id)s AND webhook_secret = %(old)s
