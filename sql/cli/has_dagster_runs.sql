-- Whether Dagster has made its tables in its own database.
SELECT to_regclass('runs') IS NOT NULL
