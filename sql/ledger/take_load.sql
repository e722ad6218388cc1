-- An export whose result is in the artifact store goes on as a load of this Dagster run. One that another Dagster run
-- has taken is that one's; a run and what repeats it are one (`taken_by` is the first of them).
UPDATE bulk_runs r
   SET cursor_state = r.cursor_state || jsonb_build_object('dagster_run_id', %(dagster_run_id)s::text,
                                                           'taken_by', %(first_run_id)s::text),
       updated_at = now()
  FROM shops s, bulk_artifacts a
 WHERE r.id = %(run_id)s
   AND r.status = 'running'
   AND COALESCE(r.cursor_state ->> 'taken_by', %(first_run_id)s::text) = %(first_run_id)s::text
   AND s.id = r.shop_id
   AND a.bulk_run_id = r.id
   AND a.artifact_type = 'jsonl'
RETURNING r.id, r.shop_id, s.shopify_domain::text, r.query_type, a.file_path, a.bytes_size, a.checksum
