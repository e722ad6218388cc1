SELECT migration_name, checksum, success, error_message
FROM public.migration_history
