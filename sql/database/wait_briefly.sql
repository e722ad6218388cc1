-- For this transaction: whoever holds a lock for longer than this is not waited for.
SELECT set_config('lock_timeout', '200ms', true)
