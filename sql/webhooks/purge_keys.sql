-- Keys of events that Shopify does not send again, and that nothing here is still to be done with. An event that was set
-- aside keeps its key as long as it is kept itself: it may be put back.
DELETE FROM pipeline.webhook_keys
 WHERE (state = 'done' AND received_at < %(before)s)
    OR (state = 'aside' AND received_at < %(events_before)s)
