-- The run may be taken further by another process.
SELECT pg_advisory_unlock(hashtextextended(%(key)s, 0))
