-- The session that holds lock_migrations' lock on this database. An advisory lock's key stands there in two halves.
SELECT a.pid, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
  FROM pg_locks l
  JOIN pg_database d ON d.oid = l.database
  JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory'
   AND l.granted
   AND d.datname = current_database()
   AND l.objsubid = 1
   AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('neanelu migrations', 0)
