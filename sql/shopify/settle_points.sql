-- After a request: its row in api_cost_tracking, and the bucket put right.
--
-- Of the reserved points comes back what was not spent. The balance is never above what Shopify says is there, less what
-- others have reserved since (it may not be gone from Shopify's figure yet), counted back to the moment that the balance
-- is of. A throttled request shows by how much the balance was wrong (shortfall):
-- everybody still in the queue is that much too early, and those who come after wait longer for it.
WITH recorded AS (
    INSERT INTO api_cost_tracking (
        shop_id, operation_type, query_hash, actual_cost, throttle_status, available_cost, restore_rate,
        requested_at, response_time_ms
    )
    VALUES (
        %(shop_id)s, %(operation_type)s, %(query_hash)s, ceil(%(charged)s::numeric), %(throttle_status)s,
        floor(%(available)s::numeric), %(restore_rate)s::numeric,
        now() - make_interval(secs => %(seconds)s::float8), round(%(seconds)s::numeric * 1000)
    )
)
UPDATE rate_limit_buckets
SET tokens_remaining = least(
        tokens_remaining + %(returned)s::numeric - %(shortfall)s::numeric
            + greatest(0, coalesce(%(maximum)s::numeric, max_tokens) - max_tokens),
        %(available)s::numeric - (points_reserved - %(mark)s)
            - refill_rate * greatest(0, extract(epoch FROM clock_timestamp() - last_refill_at))
    ),
    max_tokens = coalesce(%(maximum)s::numeric, max_tokens),
    refill_rate = coalesce(%(restore_rate)s::numeric, refill_rate),
    locked_until = CASE WHEN %(lock)s::float8 > 0
        THEN greatest(locked_until, clock_timestamp() + make_interval(secs => %(lock)s::float8))
        ELSE locked_until END,
    consecutive_429_count = CASE WHEN %(pushed_back)s THEN consecutive_429_count + 1 ELSE 0 END,
    updated_at = clock_timestamp()
WHERE shop_id = %(shop_id)s
