-- Made before the first migration, so that a failing one can be written down. 0002 adds comments and indexes.
CREATE TABLE IF NOT EXISTS public.migration_history (
    id                UUID         DEFAULT uuidv7() PRIMARY KEY,
    migration_name    VARCHAR(255) NOT NULL CONSTRAINT idx_migration_name UNIQUE,
    checksum          VARCHAR(64)  NOT NULL,
    applied_at        TIMESTAMPTZ  DEFAULT now(),
    applied_by        VARCHAR(100) DEFAULT current_user,
    execution_time_ms INTEGER,
    success           BOOLEAN      DEFAULT true NOT NULL,
    error_message     TEXT
)
