-- Only to TRUNCATE: if any other load is using the table this fails at once, and DELETE has to do.
LOCK TABLE {staging} IN ACCESS EXCLUSIVE MODE NOWAIT
