-- The shop's bucket, if it is not there: as small as any plan's, until Shopify's first reply says how large it is.
INSERT INTO rate_limit_buckets (shop_id, tokens_remaining, max_tokens, refill_rate)
VALUES (%(shop_id)s, 1000, 1000, 50)
ON CONFLICT (shop_id) DO NOTHING
