-- For this transaction: what is written below keeps the fingerprint that it is written with. Its commit does not wait for
-- the disk: the ledger's, which says that the load is merged, comes after it and does, and the log is written in order.
SELECT set_config('app.mirror_merge', 'on', true),
       set_config('synchronous_commit', 'off', true)
