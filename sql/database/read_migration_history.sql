SELECT migration_name, checksum, success
FROM public.migration_history
