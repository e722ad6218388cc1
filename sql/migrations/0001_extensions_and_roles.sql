-- Extensions, roles, schemas, and the one function that says whose rows a session may see.
-- PostgreSQL 18 has uuidv7(); the document's polyfill for older servers does not sort by time and is not used.

CREATE EXTENSION IF NOT EXISTS pgcrypto;    -- encryption functions
CREATE EXTENSION IF NOT EXISTS citext;      -- case-insensitive text
CREATE EXTENSION IF NOT EXISTS pg_trgm;     -- trigram similarity
CREATE EXTENSION IF NOT EXISTS btree_gin;   -- GIN indexes over scalars
CREATE EXTENSION IF NOT EXISTS btree_gist;  -- exclusion constraints
CREATE EXTENSION IF NOT EXISTS vector;      -- embeddings

-- Roles belong to the whole server, so another database may have made them already, or be making them right now.
-- Passwords are set by whoever runs the server.
DO $$
DECLARE
    wanted RECORD;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES
            ('neanelu_owner', 'NOLOGIN'),
            ('neanelu_pipeline', 'LOGIN BYPASSRLS'),
            ('neanelu_tenant', 'LOGIN NOBYPASSRLS')
        ) AS roles (name, attributes)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        -- Whoever migrates acts as the owner and as the pipeline; a superuser may do so anyway.
        IF NOT pg_has_role(wanted.name, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER WITH SET TRUE, INHERIT TRUE', wanted.name);
        END IF;
    END LOOP;
    IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'neanelu_pipeline') THEN
        RAISE EXCEPTION 'the role neanelu_pipeline exists without BYPASSRLS: it would see empty tables'
            USING HINT = 'As a superuser: ALTER ROLE neanelu_pipeline BYPASSRLS';
    END IF;
    IF (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'neanelu_tenant') THEN
        RAISE EXCEPTION 'the role neanelu_tenant may bypass row-level security: every shop would see every shop'
            USING HINT = 'As a superuser: ALTER ROLE neanelu_tenant NOSUPERUSER NOBYPASSRLS';
    END IF;
END
$$;

-- public holds the document's relations and nothing else; what the loader and the decisions add stands in pipeline.
GRANT USAGE, CREATE ON SCHEMA public TO neanelu_owner;
GRANT USAGE ON SCHEMA public TO neanelu_pipeline, neanelu_tenant;

CREATE SCHEMA pipeline AUTHORIZATION neanelu_owner;
COMMENT ON SCHEMA pipeline IS 'What the loader needs besides the schema document: staging, keys, the tenants'' views';
GRANT USAGE ON SCHEMA pipeline TO neanelu_pipeline, neanelu_tenant;

ALTER TABLE migration_history OWNER TO neanelu_owner;

SET LOCAL ROLE neanelu_owner;

-- After a committed transaction that used set_config(…, true) the setting is '' and not NULL: hence NULLIF.
-- Policies call it as (SELECT app_current_shop_id()), which is evaluated once per query.
CREATE FUNCTION app_current_shop_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.current_shop_id', true), '')::uuid;

COMMENT ON FUNCTION app_current_shop_id() IS 'The shop whose rows this transaction may see; NULL = none';
