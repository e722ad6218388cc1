-- How a run stands, and whether another load found it dead.
SELECT status, error_message, COALESCE(cursor_state ? 'abandoned', false) FROM bulk_runs WHERE id = %(run_id)s
