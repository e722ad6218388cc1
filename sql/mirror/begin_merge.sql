-- For this transaction: the writes below keep their own fingerprints; full-text entries of a big load are sorted in
-- memory and go into the index together; and one merge may use what a session of an application should not.
SELECT set_config('app.mirror_merge', 'on', true),
       set_config('work_mem', '64MB', true),
       set_config('jit', 'off', true)
