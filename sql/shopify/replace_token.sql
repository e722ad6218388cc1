-- A token under another key, unless the shop was given another one in the meantime: then that one stays.
UPDATE shops
SET access_token_ciphertext = %(ciphertext)s,
    access_token_iv = %(nonce)s,
    access_token_tag = %(tag)s,
    key_version = %(key_version)s,
    updated_at = now()
WHERE id = %(shop_id)s
  AND key_version = %(old_version)s
  AND access_token_ciphertext = %(old_ciphertext)s
  AND access_token_iv = %(old_nonce)s
