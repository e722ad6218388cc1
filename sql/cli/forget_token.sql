-- The demo's shop stays and its token goes: the API that took it has ended, and nobody has the key that sealed it.
UPDATE shops
SET access_token_ciphertext = ''::bytea,
    access_token_iv = ''::bytea,
    access_token_tag = ''::bytea,
    updated_at = now()
WHERE shopify_domain = %(shop)s::citext
