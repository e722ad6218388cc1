-- Partitions: one function that makes them exist for a range, a DEFAULT partition for the rest, and the first window.
--
-- Nobody is granted anything on a partition: the parent's policies do not hold for a partition that is read directly.
-- Should somebody grant it by mistake, row-level security without a policy still shows nothing.

SET LOCAL ROLE neanelu_owner;

CREATE TABLE webhook_events_default PARTITION OF webhook_events DEFAULT;
CREATE TABLE prod_raw_harvest_default PARTITION OF prod_raw_harvest DEFAULT;
CREATE TABLE api_cost_tracking_default PARTITION OF api_cost_tracking DEFAULT;
CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;
CREATE TABLE inventory_ledger_default PARTITION OF inventory_ledger DEFAULT;
CREATE TABLE api_usage_log_default PARTITION OF api_usage_log DEFAULT;

ALTER TABLE webhook_events_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE prod_raw_harvest_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_cost_tracking_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_ledger_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_usage_log_default ENABLE ROW LEVEL SECURITY;

-- Makes a partition exist for every instant from range_start to range_end, and returns the names of the new ones.
-- Months and days are those of UTC. Rows of the range that wait in the DEFAULT partition move into theirs.
-- Attaching a finished table leaves readers and writers of the parent undisturbed; the DEFAULT partition is locked
-- until the transaction ends, so call it in a transaction of its own.
CREATE FUNCTION ensure_partitions(parent regclass, range_start timestamptz, range_end timestamptz)
    RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
AS $$
DECLARE
    table_name text;
    key_column text;
    unit text;
    lower_bound timestamptz;
    upper_bound timestamptz;
    partition_name text;
    default_name text;
    waiting_name text;
    locked boolean := false;
    any_waiting boolean;
BEGIN
    SELECT class.relname, attribute.attname
    INTO table_name, key_column
    FROM pg_partitioned_table AS partitioned
    JOIN pg_class AS class ON class.oid = partitioned.partrelid
    JOIN pg_attribute AS attribute
        ON attribute.attrelid = class.oid AND attribute.attnum = partitioned.partattrs[0]
    WHERE class.oid = parent AND class.relnamespace = 'public'::regnamespace AND partitioned.partstrat = 'r';
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not partitioned by time', parent USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF range_start IS NULL OR range_end IS NULL OR NOT isfinite(range_start) OR NOT isfinite(range_end)
            OR range_end < range_start OR range_end - range_start > interval '50 years' THEN
        RAISE EXCEPTION 'no partitions of % from % to %: the range must be finite, forward and at most 50 years',
            table_name, range_start, range_end USING ERRCODE = 'invalid_parameter_value';
    END IF;

    default_name := table_name || '_default';
    waiting_name := table_name || '_waiting';
    -- api_cost_tracking is kept for 7 days: a month could not be dropped to keep a week.
    unit := CASE table_name WHEN 'api_cost_tracking' THEN 'day' ELSE 'month' END;

    FOR lower_bound IN
        SELECT generate_series(date_trunc(unit, range_start), range_end, ('1 ' || unit)::interval)
    LOOP
        upper_bound := lower_bound + ('1 ' || unit)::interval;
        partition_name := table_name
            || to_char(lower_bound, CASE unit WHEN 'day' THEN '_YYYY_MM_DD' ELSE '_YYYY_MM' END);
        CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
        IF NOT locked THEN
            -- Whoever else makes partitions of this table waits here, and then sees ours.
            EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', default_name);
            locked := true;
            CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
        END IF;

        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', partition_name, table_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition_name);

        -- Waiting rows step aside while the partition is attached: it must be empty then, because attaching checks
        -- foreign keys as the owner, whom FORCE ROW LEVEL SECURITY shows no row to refer to.
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM public.%1$I WHERE %2$I >= $1 AND %2$I < $2)', default_name, key_column
        ) INTO any_waiting USING lower_bound, upper_bound;
        IF any_waiting THEN
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I)', waiting_name, table_name);
            EXECUTE format(
                'WITH moved AS (DELETE FROM public.%1$I WHERE %2$I >= $1 AND %2$I < $2 RETURNING *)'
                ' INSERT INTO public.%3$I SELECT * FROM moved',
                default_name, key_column, waiting_name
            ) USING lower_bound, upper_bound;
        END IF;
        EXECUTE format(
            'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            table_name, partition_name, lower_bound, upper_bound
        );
        IF any_waiting THEN
            EXECUTE format('INSERT INTO public.%I SELECT * FROM public.%I', partition_name, waiting_name);
            EXECUTE format('DROP TABLE public.%I', waiting_name);
        END IF;
        RETURN NEXT partition_name;
    END LOOP;
END
$$;

COMMENT ON FUNCTION ensure_partitions(regclass, timestamptz, timestamptz) IS
    'Makes a partition exist for every instant of a range; returns the names of the new ones';

CREATE FUNCTION default_partition_rows() RETURNS TABLE (table_name text, row_count bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    default_partition regclass;
BEGIN
    FOR table_name, default_partition IN
        SELECT class.relname, partitioned.partdefid
        FROM pg_partitioned_table AS partitioned
        JOIN pg_class AS class ON class.oid = partitioned.partrelid
        WHERE class.relnamespace = 'public'::regnamespace
        ORDER BY class.relname
    LOOP
        EXECUTE format('SELECT count(*) FROM %s', default_partition) INTO row_count;
        RETURN NEXT;
    END LOOP;
END
$$;

COMMENT ON FUNCTION default_partition_rows() IS
    'How many rows of each partitioned table found no partition of their own; all should be 0';

REVOKE ALL ON FUNCTION ensure_partitions(regclass, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION default_partition_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(regclass, timestamptz, timestamptz) TO neanelu_pipeline;
GRANT EXECUTE ON FUNCTION default_partition_rows() TO neanelu_pipeline;

-- The first window; the pipeline keeps it ahead of the clock, and asks for more before it loads history.
SELECT ensure_partitions('webhook_events', now() - interval '1 month', now() + interval '3 months');
SELECT ensure_partitions('prod_raw_harvest', now() - interval '1 month', now() + interval '3 months');
SELECT ensure_partitions('audit_logs', now() - interval '1 month', now() + interval '3 months');
SELECT ensure_partitions('inventory_ledger', now() - interval '1 month', now() + interval '3 months');
SELECT ensure_partitions('api_usage_log', now() - interval '1 month', now() + interval '3 months');
SELECT ensure_partitions('api_cost_tracking', now() - interval '1 day', now() + interval '7 days');
