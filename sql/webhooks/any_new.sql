-- Whether any event waits to be processed now: one look at an index that holds new events only.
SELECT EXISTS (SELECT
                 FROM pipeline.webhook_keys
                WHERE state = 'new'
                  AND (not_before IS NULL OR not_before <= clock_timestamp()))
