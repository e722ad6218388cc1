-- What a load was made of, and of what moment of the shop it shows how much.
SELECT r.status,
       COALESCE((r.cursor_state ->> 'snapshot')::boolean, true) AS snapshot,
       (r.cursor_state ->> 'as_of')::timestamptz AS as_of,
       r.cursor_state -> 'bulk' ->> 'query' AS query,
       r.cursor_state -> 'bulk' -> 'kinds' -> 'names' AS kinds,
       r.cursor_state ->> 'lacks' AS lacks,
       r.cursor_state ->> 'source' AS source,
       a.bytes_size AS bytes,
       a.checksum,
       a.file_path AS path,
       a.deleted_at IS NOT NULL AS deleted,
       -- Two lines that lost the end of line between them are one that cannot be parsed, and begins as a whole one.
       (SELECT count(*) FROM bulk_errors e WHERE e.bulk_run_id = r.id AND e.error_type = 'PARSE') AS unreadable
  FROM bulk_runs r
  JOIN bulk_artifacts a ON a.bulk_run_id = r.id AND a.artifact_type = 'jsonl'
 WHERE r.id = %(run_id)s
