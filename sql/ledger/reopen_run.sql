-- Another load found this one dead, and it goes on all the same: it had lost its connection, and its lock with it.
UPDATE bulk_runs
   SET status = 'running',
       completed_at = NULL,
       updated_at = now(),
       cursor_state = cursor_state - 'abandoned',
       error_message = NULL
 WHERE id = %(run_id)s
   AND status = 'failed'
   AND cursor_state ? 'abandoned'
RETURNING id
