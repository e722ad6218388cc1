UPDATE bulk_artifacts SET deleted_at = clock_timestamp() WHERE id = ANY(%(ids)s)
