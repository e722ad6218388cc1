-- Staging is emptied again with the end of each load, and each load makes what statistics it needs of its own rows. So
-- PostgreSQL's are worth nothing by the time that they are made, and cost the load that they come upon a tenth of its
-- time. Nor is anything frozen that does not stay. Of what DELETE leaves behind autovacuum still takes care.

SET LOCAL ROLE neanelu_owner;

DO $$
DECLARE
    staging REGCLASS;
BEGIN
    FOR staging IN
        SELECT oid
          FROM pg_class
         WHERE relkind = 'r'
           AND relpersistence = 'u'
           AND relnamespace IN ('public'::regnamespace, 'pipeline'::regnamespace)
    LOOP
        EXECUTE format(
            'ALTER TABLE %s SET ('
            'autovacuum_analyze_threshold = 2147483647, '
            'autovacuum_vacuum_insert_threshold = -1, '
            'toast.autovacuum_vacuum_insert_threshold = -1)',
            staging
        );
    END LOOP;
END
$$;
