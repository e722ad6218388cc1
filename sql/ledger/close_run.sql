-- What was merged to its end stays completed, whatever fails while it is tidied up; and only what runs is completed. A
-- file that was cut off shows the whole of nothing. Whoever ends another's load need not know how many bytes it has.
UPDATE bulk_runs
   SET status = %(status)s,
       completed_at = clock_timestamp(),
       updated_at = now(),
       records_processed = COALESCE(%(records)s, records_processed),
       bytes_processed = GREATEST(%(bytes)s, bytes_processed),
       cursor_state = (cursor_state - 'abandoned')
                      || CASE WHEN %(cut_off)s THEN '{"snapshot": false, "cut_off": true}'::jsonb ELSE '{}' END,
       error_message = %(error)s
 WHERE id = %(run_id)s
   AND CASE %(status)s::text WHEN 'completed' THEN status = 'running' ELSE status <> 'completed' END
RETURNING id
