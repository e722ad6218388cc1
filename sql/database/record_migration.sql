INSERT INTO public.migration_history (migration_name, checksum, execution_time_ms, success, error_message)
VALUES (%(name)s, %(checksum)s, %(milliseconds)s, %(success)s, %(error)s)
ON CONFLICT (migration_name) DO UPDATE SET
    checksum = EXCLUDED.checksum,
    applied_at = now(),
    applied_by = current_user,
    execution_time_ms = EXCLUDED.execution_time_ms,
    success = EXCLUDED.success,
    error_message = EXCLUDED.error_message
