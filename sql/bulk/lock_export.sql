-- One process at a time takes a run further; held by the session, so it falls with the process.
SELECT pg_try_advisory_lock(hashtextextended(%(key)s, 0))
