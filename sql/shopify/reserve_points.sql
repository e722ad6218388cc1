-- Takes the points of one request from the shop's bucket and says how long to wait until they are there.
--
-- The balance may go below zero: that is the queue. Each worker takes its place in it at once and waits its own time,
-- so nobody asks again and again, and nobody overtakes. A place further away than max_wait is not taken.
--
-- The clock is read after the lock, and is the database's. A hundredth of the bucket stays as a margin against clocks
-- that do not run alike.
WITH locked AS MATERIALIZED (
    SELECT shop_id, tokens_remaining, max_tokens, refill_rate, last_refill_at, locked_until, points_reserved
    FROM rate_limit_buckets
    WHERE shop_id = %(shop_id)s
    FOR NO KEY UPDATE
), clocked AS MATERIALIZED (
    SELECT locked.*, clock_timestamp() AS moment FROM locked
), taken AS MATERIALIZED (
    SELECT shop_id, moment, refill_rate, max_tokens, locked_until,
           points_reserved + least(%(cost)s::numeric, max_tokens) AS mark,
           least(%(cost)s::numeric, max_tokens) AS points,
           least(max_tokens, tokens_remaining
               + refill_rate * greatest(0, extract(epoch FROM moment - last_refill_at)))
               - least(%(cost)s::numeric, max_tokens) AS balance
    FROM clocked
), queued AS MATERIALIZED (
    SELECT shop_id, moment, points, balance, mark,
           greatest(
               0,
               CASE WHEN balance < 0 THEN (max_tokens / 100 - balance) / refill_rate ELSE 0 END,
               extract(epoch FROM locked_until - moment)
           ) AS wait
    FROM taken
), written AS (
    UPDATE rate_limit_buckets AS bucket
    SET tokens_remaining = queued.balance,
        points_reserved = queued.mark,
        last_refill_at = queued.moment,
        updated_at = queued.moment
    FROM queued
    WHERE bucket.shop_id = queued.shop_id AND queued.wait <= %(max_wait)s::numeric
)
SELECT points::float8, wait::float8, wait <= %(max_wait)s::numeric, mark FROM queued
