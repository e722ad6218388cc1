CREATE UNLOGGED TABLE bench.floor (line text)
