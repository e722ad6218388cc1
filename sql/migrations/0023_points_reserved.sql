-- What the client needs beside the document to share a shop's points among many workers.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE rate_limit_buckets ADD COLUMN points_reserved NUMERIC(20,2) DEFAULT 0 NOT NULL;

COMMENT ON COLUMN rate_limit_buckets.points_reserved IS
    'All points ever reserved: what was reserved after a request may not be part of the balance in its reply yet';
