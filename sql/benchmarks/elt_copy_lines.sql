COPY bench.lines (line) FROM STDIN (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
