-- A shop that was only added: nothing was ever loaded or received for it. One that has rows has foreign keys to it.
DELETE FROM shops WHERE shopify_domain = %(shop_domain)s::citext AND webhook_secret IS NULL RETURNING id
