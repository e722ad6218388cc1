-- The scopes that Shopify says a shop's token has. Nothing is written, and nothing audited, where they are the same.
UPDATE shops
   SET scopes = %(scopes)s::text[],
       updated_at = now()
 WHERE id = %(shop_id)s
   AND scopes IS DISTINCT FROM %(scopes)s::text[]
