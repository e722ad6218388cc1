-- CSV with a quote and a delimiter that JSON cannot hold unescaped: every line is one field, and no byte is parsed.
COPY bench.floor (line) FROM STDIN (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
