-- Whoever else opens or closes a rotation waits until this transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('neanelu key rotation', 0))
