-- The roles of the embedded server that can log in, and the owner of the schema, which cannot. The first migration
-- makes the same ones where it runs first; they belong to the server, not to a database, so each asks before.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'neanelu_owner') THEN
        CREATE ROLE neanelu_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'neanelu_pipeline') THEN
        CREATE ROLE neanelu_pipeline LOGIN BYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'neanelu_tenant') THEN
        CREATE ROLE neanelu_tenant LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'neanelu_dagster') THEN
        CREATE ROLE neanelu_dagster LOGIN;
    END IF;
END
$$
