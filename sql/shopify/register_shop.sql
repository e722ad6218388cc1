-- A shop without a token, if the domain is new; nothing can be fetched for it until it is given one.
INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)
VALUES (%(shop_domain)s, ''::bytea, ''::bytea, ''::bytea, ARRAY[]::text[])
ON CONFLICT (shopify_domain) DO NOTHING
