-- A load of events shows a few rows as of a moment, not the whole shop: under `as_of` the ledger would take every other
-- row for as new, and an export that was begun before could not change them.
UPDATE bulk_runs
   SET cursor_state = (cursor_state - 'as_of') || jsonb_build_object('events_as_of', cursor_state->'as_of')
 WHERE id = %(run_id)s
   AND status = 'completed'
   AND cursor_state ? 'as_of'
