-- Runs that ended before a moment and that nothing needs any more. A later complete load of the resource must have taken
-- their place: of one that was complete as a whole, a whole one that shows as new a state, because what it says of the
-- mirror (how new its rows are, which merge was the last) is asked of the newest. One that failed goes without such: a
-- resource may never be complete again; only the last that began to write stays until another does. What a removal or a
-- checkpoint refers to stays, and what was refused, until a person has decided.
SELECT r.id
  FROM bulk_runs r
 WHERE r.status NOT IN ('pending', 'running')
   AND r.completed_at < %(before)s
   AND r.id <> ALL (%(left)s::uuid[])
   AND (r.status <> 'completed'
        AND NOT EXISTS (SELECT
                          FROM bulk_steps b
                         WHERE b.bulk_run_id = r.id
                           AND b.step_name IN ('merge', 'removal')
                           AND NOT EXISTS (SELECT
                                             FROM bulk_runs n
                                             JOIN bulk_steps l ON l.bulk_run_id = n.id
                                            WHERE n.shop_id = r.shop_id
                                              AND n.query_type = r.query_type
                                              AND l.step_name IN ('merge', 'removal')
                                              AND l.started_at > b.started_at))
        OR EXISTS (SELECT
                     FROM bulk_runs n
                    WHERE n.shop_id = r.shop_id
                      AND n.query_type = r.query_type
                      AND n.completed_at > r.completed_at
                      AND n.status = 'completed'
                      AND (r.status <> 'completed'
                           OR NOT COALESCE((r.cursor_state ->> 'snapshot')::boolean, true)
                           OR COALESCE((n.cursor_state ->> 'snapshot')::boolean, true)
                              AND (n.cursor_state ->> 'as_of')::timestamptz
                                  >= (r.cursor_state ->> 'as_of')::timestamptz)
                      AND EXISTS (SELECT FROM bulk_steps b WHERE b.bulk_run_id = n.id AND b.step_name = 'merge')))
   AND NOT EXISTS (SELECT FROM pipeline.removals g WHERE g.bulk_run_id = r.id)
   AND NOT EXISTS (SELECT
                     FROM sync_checkpoints c
                    WHERE c.shop_id = r.shop_id
                      AND c.metadata ->> 'run_id' = r.id::text)
   AND NOT EXISTS (SELECT
                     FROM bulk_steps b
                    WHERE b.bulk_run_id = r.id
                      AND b.step_name = 'removal'
                      AND b.metadata ->> 'outcome' = 'refused')
 ORDER BY r.completed_at
 LIMIT %(limit)s
   FOR UPDATE OF r SKIP LOCKED
