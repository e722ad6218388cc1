-- Held until the connection closes: one runner at a time, the next one waits.
SELECT pg_advisory_lock(hashtextextended('neanelu migrations', 0))
