-- What was written down of a shop that was only added is the shop's that it turned out to be, and goes with it.
UPDATE audit_logs SET shop_id = %(shop_id)s WHERE shop_id = %(bare)s
