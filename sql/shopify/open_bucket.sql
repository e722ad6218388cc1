-- The shop's bucket, if it is not there: full, and as small as that of Shopify's smallest plan.
-- The first reply corrects it.
INSERT INTO rate_limit_buckets (shop_id, tokens_remaining, max_tokens, refill_rate)
VALUES (%(shop_id)s, 2000, 2000, 100)
ON CONFLICT (shop_id) DO NOTHING
