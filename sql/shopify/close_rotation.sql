-- A rotation ends; what it could not open, if anything, is said in its row.
UPDATE key_rotations
SET status = CASE WHEN %(error)s::text IS NULL THEN 'completed' ELSE 'failed' END,
    error_message = %(error)s,
    completed_at = clock_timestamp()
WHERE id = %(rotation_id)s AND status = 'in_progress'
