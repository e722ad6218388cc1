-- When each resource of a shop was last complete: by a whole export or file, or by changes that moved its checkpoint.
-- A load of webhooks, a removal or a window of the past says nothing of the other rows.
SELECT s.shopify_domain::text AS shop, known.resource, max(known.moment) AS complete_at
FROM (
    SELECT shop_id, query_type AS resource, completed_at AS moment
    FROM bulk_runs
    WHERE status = 'completed'
      AND coalesce((cursor_state ->> 'snapshot')::boolean, true)
    UNION ALL
    SELECT shop_id, resource_type, last_sync_at
    FROM sync_checkpoints
    WHERE last_sync_at > 'epoch'
      AND resource_type <> 'deletion_events'
) AS known
JOIN shops s ON s.id = known.shop_id
WHERE known.resource IS NOT NULL
GROUP BY s.shopify_domain, known.resource
ORDER BY 1, 2
