-- A shop is given a token. What is not known of it (an installation without asking Shopify) stays as it was. It is
-- installed from this moment on, whatever was before: an uninstallation of which the event is still to be processed
-- voided the token before this one.
UPDATE shops
SET access_token_ciphertext = %(ciphertext)s,
    access_token_iv = %(nonce)s,
    access_token_tag = %(tag)s,
    key_version = %(key_version)s,
    scopes = coalesce(%(scopes)s::text[], scopes),
    shopify_shop_id = coalesce(%(number)s, shopify_shop_id),
    currency_code = coalesce(%(currency)s, currency_code),
    timezone = coalesce(%(timezone)s, timezone),
    api_version = coalesce(%(api_version)s, api_version),
    installed_at = now(),
    uninstalled_at = NULL,
    updated_at = now()
WHERE id = %(shop_id)s
