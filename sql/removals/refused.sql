-- What waits for a person: of each shop and resource the newest whole export that somebody looked at, where it was refused;
-- and the shops of which Shopify does not tell what was deleted. Of an export whose file was deleted (somebody had to be
-- forgotten) nobody can decide anything: the next one is looked at.
SELECT looked.reason
  FROM (SELECT DISTINCT ON (r.shop_id, r.query_type) r.id, b.metadata ->> 'outcome' AS outcome, b.metadata ->> 'reason' AS reason
          FROM bulk_steps b
          JOIN bulk_runs r ON r.id = b.bulk_run_id
          JOIN shops s ON s.id = r.shop_id AND s.uninstalled_at IS NULL
         WHERE b.step_name = 'removal'
           AND b.status = 'completed'
           AND r.cursor_state ? 'bulk'
         ORDER BY r.shop_id, r.query_type, (r.cursor_state ->> 'as_of')::timestamptz DESC, r.id DESC, b.id DESC) AS looked
 WHERE looked.outcome = 'refused'
   AND NOT EXISTS (SELECT
                     FROM bulk_artifacts a
                    WHERE a.bulk_run_id = looked.id
                      AND a.artifact_type = 'jsonl'
                      AND a.deleted_at IS NOT NULL)
 UNION ALL
SELECT 'The deletion events of ' || s.shopify_domain || ' cannot be had: ' || c.error_message
  FROM sync_checkpoints c
  JOIN shops s ON s.id = c.shop_id AND s.uninstalled_at IS NULL AND s.access_token_ciphertext <> ''::bytea
 WHERE c.resource_type = 'deletion_events'
   AND c.status = 'error'
