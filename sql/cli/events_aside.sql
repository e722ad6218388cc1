-- Events that were set aside, by shop and topic, each with one of the reasons; not privacy requests, which no sync
-- answers.
SELECT s.shopify_domain::text AS shop, e.topic, count(*) AS events, max(e.processing_error) AS reason
FROM pipeline.webhook_keys k
JOIN webhook_events e ON e.id = k.event_id AND e.created_at = k.received_at
LEFT JOIN shops s ON s.id = k.shop_id
WHERE k.state = 'aside'
  AND e.topic NOT IN ('customers/redact', 'shop/redact', 'customers/data_request')
GROUP BY s.shopify_domain, e.topic
ORDER BY count(*) DESC, shop, e.topic
