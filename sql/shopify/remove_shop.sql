-- A shop leaves: its token is forgotten, its row and its data stay. So does a webhook secret of its own: shop/redact
-- comes two days later, signed with it, and takes it away with the row.
UPDATE shops
SET access_token_ciphertext = ''::bytea,
    access_token_iv = ''::bytea,
    access_token_tag = ''::bytea,
    uninstalled_at = now(),
    updated_at = now()
WHERE shopify_domain = %(shop_domain)s::citext AND uninstalled_at IS NULL
RETURNING id
