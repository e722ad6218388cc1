-- Whether an export asked for what changed in windows of time, or for everything.
SELECT CASE WHEN cursor_state ? 'windows' THEN 'changes' ELSE 'all' END
FROM bulk_runs
WHERE id = %(run_id)s
