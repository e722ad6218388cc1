-- By files: block by block (WAL_LOG), with wal_level = minimal, PostgreSQL 18.1 forgets the empty forms of the template's
-- unlogged tables until the next checkpoint, and a crash before it leaves their indexes damaged.
CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY
