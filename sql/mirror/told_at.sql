-- The moment of the shop that a staged row shows: of an event its own, of an export's row that of the whole file.
COALESCE(s.told_at, %(as_of)s)
