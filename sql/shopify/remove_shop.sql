-- A shop leaves: its token and its webhook secret are forgotten, its row and its data stay.
UPDATE shops
SET access_token_ciphertext = ''::bytea,
    access_token_iv = ''::bytea,
    access_token_tag = ''::bytea,
    webhook_secret = NULL,
    uninstalled_at = now(),
    updated_at = now()
WHERE shopify_domain = %(shop_domain)s::citext AND uninstalled_at IS NULL
RETURNING id
