ANALYZE bench.lines (node, gid, parent)
