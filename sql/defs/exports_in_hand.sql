-- Those of the exports that somebody is at: a process that is taking it further at this moment holds the lock of
-- lock_export.sql, and a Dagster run under way goes on with what it began when that has its turn.
SELECT e.id
  FROM unnest(%(run_ids)s::uuid[]) AS e (id)
 WHERE EXISTS (SELECT
                 FROM pg_locks l
                WHERE l.locktype = 'advisory'
                  AND l.objsubid = 1
                  AND l.granted
                  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                  AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('bulk/' || e.id::text, 0))
    OR EXISTS (SELECT
                 FROM bulk_runs r
                WHERE r.id = e.id
                  AND r.cursor_state ->> 'dagster_run_id' = ANY (%(dagster_run_ids)s::text[]))
