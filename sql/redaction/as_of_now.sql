-- From here on this transaction sees the database as it is at its first look, which this is.
SELECT set_config('transaction_read_only', 'on', true), pg_current_snapshot()
