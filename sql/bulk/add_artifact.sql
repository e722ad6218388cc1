-- Once per run and kind, however often the step is repeated.
INSERT INTO bulk_artifacts (bulk_run_id, shop_id, artifact_type, file_path, bytes_size, rows_count, checksum)
SELECT %(run_id)s, %(shop_id)s, %(kind)s::text, %(path)s, %(bytes)s, %(rows)s, %(sha256)s
 WHERE NOT EXISTS (SELECT FROM bulk_artifacts WHERE bulk_run_id = %(run_id)s AND artifact_type = %(kind)s::text)
