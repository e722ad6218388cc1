-- The shop that Shopify knows by this number, under the domain that it has here; whoever else changes it waits, and so
-- does whoever adds a row of it.
SELECT id, shopify_domain::text FROM shops WHERE shopify_shop_id = %(number)s FOR UPDATE
