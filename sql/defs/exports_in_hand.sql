-- Those of the exports that some process is taking further at this moment: it holds the lock of lock_export.sql.
SELECT e.id
  FROM unnest(%(run_ids)s::uuid[]) AS e (id)
 WHERE EXISTS (SELECT
                 FROM pg_locks l
                WHERE l.locktype = 'advisory'
                  AND l.objsubid = 1
                  AND l.granted
                  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                  AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('bulk/' || e.id::text, 0))
