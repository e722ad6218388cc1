-- Whether nobody else is at it: then the lock is ours, until the connection closes.
SELECT pg_try_advisory_lock(hashtextextended('neanelu migrations', 0))
