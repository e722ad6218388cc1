-- The comparison gets the tables without what it does not do: no audit. Keys, indexes and foreign keys stay.
ALTER TABLE {table} DISABLE TRIGGER USER
