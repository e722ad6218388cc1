-- For this transaction: ANALYZE looks at 3,000 rows, not 30,000. What a load has just copied is one run's, and whether a
-- key is unique shows in few rows.
SELECT set_config('default_statistics_target', '10', true)
