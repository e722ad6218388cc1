-- For this transaction: what is written below keeps the fingerprint that it is written with.
SELECT set_config('app.mirror_merge', 'on', true)
