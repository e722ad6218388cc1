-- Whether a shop that is here has this number of Shopify's: it may have a name now that nobody here has learnt yet.
SELECT EXISTS (SELECT FROM shops WHERE shopify_shop_id = %(number)s::numeric)
