-- The staged rows on these pages: each share of a table reads its own and no other. Nothing moves a staged row while its
-- load is merged.
s.ctid >= {first}::tid AND s.ctid < {end}::tid
