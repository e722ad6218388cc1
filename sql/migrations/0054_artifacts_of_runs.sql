-- The files of a run are found without reading the whole table; a run that is deleted past its time asks for them too.

SET LOCAL ROLE neanelu_owner;

CREATE INDEX idx_bulk_artifacts_run ON bulk_artifacts (bulk_run_id);
