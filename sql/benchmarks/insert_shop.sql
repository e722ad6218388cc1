-- A shop to load into; it has no access token, since nothing asks Shopify.
INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)
VALUES (%(domain)s, '', '', '', '{{read_products}}')
RETURNING id
