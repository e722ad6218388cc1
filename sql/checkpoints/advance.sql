-- A complete load moves the checkpoint: all that changed in what it asked for, before Shopify began to read, is here.
-- What lies beyond a gap is remembered (`ahead`) and counts once the gap is filled, so that the order of windows does not
-- matter. Rows that were rejected are owed: their moments are asked for again, all between them too if they are many.
-- What was asked for without the scope that shows all of it stays unseen, until it is asked for with the scope.
-- last_sync_at never goes back.
WITH run AS (
  SELECT r.id,
         r.shop_id,
         r.query_type,
         r.records_processed,
         r.cursor_state -> 'windows' AS windows,
         r.cursor_state ? 'lacks' AS is_part,
         (r.cursor_state ->> 'as_of')::timestamptz AS as_of
    FROM bulk_runs r
   WHERE r.id = %(run_id)s
     AND r.cursor_state ? 'bulk'
     AND r.cursor_state ? 'as_of'
),
known AS (
  SELECT c.id,
         COALESCE((c.metadata ->> 'owed')::tstzmultirange, '{}') AS owed,
         COALESCE((c.metadata ->> 'unseen')::tstzmultirange, '{}') AS unseen,
         COALESCE((c.metadata ->> 'ahead')::tstzmultirange, '{}')
           + tstzmultirange(tstzrange(NULL, c.last_sync_at)) AS covered
    FROM sync_checkpoints c
    JOIN run ON run.shop_id = c.shop_id AND run.query_type = c.resource_type
     FOR UPDATE OF c
),
shown AS (
  SELECT tstzmultirange(tstzrange(NULL, run.as_of))
         * COALESCE((SELECT range_agg(tstzrange((w ->> 0)::timestamptz, (w ->> 1)::timestamptz))
                       FROM jsonb_array_elements(run.windows) AS w),
                    tstzmultirange(tstzrange(NULL, NULL))) AS stretch
    FROM run
),
now_covered AS (
  SELECT known.covered + shown.stretch AS covered,
         known.owed - shown.stretch + %(rejected)s::tstzmultirange AS owed,
         CASE WHEN run.is_part THEN known.unseen + shown.stretch ELSE known.unseen - shown.stretch END AS unseen,
         (SELECT upper(r) FROM unnest(known.covered + shown.stretch) AS r WHERE lower_inf(r)) AS through
    FROM known, shown, run
)
UPDATE sync_checkpoints c
   SET last_sync_at = n.through,
       records_synced = LEAST(COALESCE(c.records_synced, 0)::bigint + run.records_processed, 2147483647),
       metadata = COALESCE(c.metadata, '{}')
                  || jsonb_build_object('run_id', run.id,
                                        'windows', run.windows,
                                        'as_of', run.as_of,
                                        'owed', CASE WHEN (SELECT count(*) FROM unnest(n.owed)) > %(most_owed)s
                                                     THEN tstzmultirange(range_merge(n.owed))
                                                     ELSE n.owed
                                                END::text,
                                        'unseen', n.unseen::text,
                                        'ahead', (n.covered - tstzmultirange(tstzrange(NULL, n.through)))::text),
       updated_at = now()
  FROM known, run, now_covered n
 WHERE c.id = known.id
