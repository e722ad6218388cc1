-- Of each shop and resource the newest whole export that somebody looked at, where it was refused: a person is waited for.
SELECT looked.reason
  FROM (SELECT DISTINCT ON (r.shop_id, r.query_type) b.metadata ->> 'outcome' AS outcome, b.metadata ->> 'reason' AS reason
          FROM bulk_steps b
          JOIN bulk_runs r ON r.id = b.bulk_run_id
          JOIN shops s ON s.id = r.shop_id AND s.uninstalled_at IS NULL
         WHERE b.step_name = 'removal'
           AND b.status = 'completed'
           AND r.cursor_state ? 'bulk'
         ORDER BY r.shop_id, r.query_type, (r.cursor_state ->> 'as_of')::timestamptz DESC, r.id DESC, b.id DESC) AS looked
 WHERE looked.outcome = 'refused'
