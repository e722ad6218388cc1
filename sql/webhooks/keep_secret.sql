-- The secret that signs a shop's webhooks, sealed; NULL: the app's, as of the other shops.
UPDATE shops SET webhook_secret = %(sealed)s, updated_at = now() WHERE id = %(shop_id)s
