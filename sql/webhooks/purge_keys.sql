-- Keys of events that Shopify does not send again, and that nothing here is still to be done with.
DELETE FROM pipeline.webhook_keys
 WHERE received_at < %(before)s
   AND state IN ('done', 'aside')
