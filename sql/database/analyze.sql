-- Rows that were just copied have no statistics yet: of these columns only, which joins and filters look at.
ANALYZE {table} ({columns})
