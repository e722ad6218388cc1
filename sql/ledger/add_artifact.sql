INSERT INTO bulk_artifacts (bulk_run_id, shop_id, artifact_type, file_path, bytes_size, checksum)
VALUES (%(run_id)s, %(shop_id)s, 'jsonl', %(path)s, %(bytes)s, %(sha256)s)
