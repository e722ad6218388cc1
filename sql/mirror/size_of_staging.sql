-- Whether there are no rows, and how many bytes the table has on disk, those of rows that were deleted included.
SELECT NOT EXISTS (SELECT FROM {staging}), pg_relation_size({name}::regclass)
