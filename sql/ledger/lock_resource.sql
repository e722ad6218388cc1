-- One writer per shop and resource; held by the session, so it falls with the process that held it.
SELECT pg_advisory_lock(hashtextextended(%(key)s, 0))
