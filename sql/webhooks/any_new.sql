-- Whether any event waits to be processed: one look at an index that holds new events only.
SELECT EXISTS (SELECT FROM pipeline.webhook_keys WHERE state = 'new')
