-- How many entries the triggers of this transaction have appended to a ledger.
SELECT COALESCE(NULLIF(current_setting('app.ledger_entries', true), ''), '0')::bigint
