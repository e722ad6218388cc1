-- A shop by its id or its domain, and whether it is installed: it has a token, or was added since its redaction was
-- asked for. Whoever gives it a token waits until this transaction ends.
SELECT id,
       shopify_shop_id,
       installed_at,
       uninstalled_at IS NULL AND (access_token_ciphertext <> ''::bytea OR installed_at > %(asked_at)s)
  FROM shops
 WHERE id = %(shop_id)s::uuid
    OR shopify_domain = %(shop_domain)s::citext
   FOR NO KEY UPDATE
