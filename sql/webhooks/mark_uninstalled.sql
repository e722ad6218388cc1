-- The shop took the app away: its token is void. Said again, or before a later installation, it changes nothing.
UPDATE shops
   SET uninstalled_at = %(moment)s,
       access_token_ciphertext = '',
       access_token_iv = '',
       access_token_tag = '',
       updated_at = now()
 WHERE id = %(shop_id)s
   AND uninstalled_at IS NULL
   AND (installed_at IS NULL OR installed_at <= %(moment)s)
