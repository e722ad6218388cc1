-- What the joins need stands beside the document, so that the planner has statistics and no scan reads the wide column
-- for nothing.
CREATE UNLOGGED TABLE bench.lines (
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    line   JSONB COMPRESSION lz4 NOT NULL,
    node   TEXT GENERATED ALWAYS AS (line ->> '__typename') STORED,
    gid    TEXT GENERATED ALWAYS AS (line ->> 'id') STORED,
    parent TEXT GENERATED ALWAYS AS (line ->> '__parentId') STORED
)
