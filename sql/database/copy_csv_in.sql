-- Rows as CSV: an empty field is NULL, "" is the empty text. For rows of many types, most of whose bytes are text.
COPY {table} ({columns}) FROM STDIN (FORMAT csv)
