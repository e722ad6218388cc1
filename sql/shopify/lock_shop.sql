-- The id of a shop whose token is about to change; whoever else changes it waits.
SELECT id FROM shops WHERE shopify_domain = %(shop_domain)s::citext FOR UPDATE
