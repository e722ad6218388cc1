-- A run that was ended from outside still holds its key.
UPDATE bulk_runs SET idempotency_key = NULL WHERE idempotency_key = %(key)s AND status <> 'pending'
