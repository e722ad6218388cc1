-- For this transaction: what is deleted leaves no entries of its own behind.
SELECT set_config('app.redaction', 'on', true)
