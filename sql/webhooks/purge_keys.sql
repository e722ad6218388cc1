-- Keys of events that Shopify does not send again, and that nothing here is still to be done with. An event that was
-- set aside keeps its key as long as it is kept itself: it may be put back. A privacy request is kept until it is
-- answered, or closed by a person.
DELETE FROM pipeline.webhook_keys k
 WHERE (state IN ('done', 'dismissed') AND received_at < %(before)s)
    OR (state = 'aside'
        AND received_at < %(events_before)s
        AND NOT EXISTS (SELECT
                          FROM webhook_events e
                         WHERE e.id = k.event_id
                           AND e.created_at = k.received_at
                           AND e.topic IN ('customers/redact', 'shop/redact', 'customers/data_request')))
