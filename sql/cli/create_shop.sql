-- A shop that was not installed through the application: it holds no token, so nothing can be fetched for it.
INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)
VALUES (%(shop_domain)s, ''::bytea, ''::bytea, ''::bytea, ARRAY[]::text[])
ON CONFLICT (shopify_domain) DO NOTHING
