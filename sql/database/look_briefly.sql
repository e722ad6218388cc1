-- For this transaction: ANALYZE looks at 300 rows for each of this target, whose default is 100.
SELECT set_config('default_statistics_target', %(target)s, true)
