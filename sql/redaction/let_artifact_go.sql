-- Its artifact is deleted when the load is over, by whoever ends it or by whoever looks after the store.
UPDATE bulk_runs SET cursor_state = cursor_state || '{"tells_of_forgotten": true}' WHERE id = %(run_id)s
