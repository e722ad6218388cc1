SELECT to_regclass('public.migration_history') IS NOT NULL
