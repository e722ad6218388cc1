-- Rows as CSV: an empty field is NULL, "" is the empty text. Binary would save PostgreSQL little here: most bytes are text.
COPY {table} ({columns}) FROM STDIN (FORMAT csv)
