-- What is past its time goes: partitions, and artifacts of which the ledger keeps the row. Events that waited for what
-- can be done now are new again.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE bulk_artifacts ADD COLUMN deleted_at TIMESTAMPTZ;
COMMENT ON COLUMN bulk_artifacts.deleted_at IS 'When the file was deleted from the artifact store, past its time';

-- Drops the partitions whose whole time lies before an instant, and returns their names. Of webhook_events only those
-- without rows: an event that still waits outlives its time. Dropping locks the parent: it does not wait for that lock
-- behind a long query, with everybody else behind it.
CREATE FUNCTION drop_partitions(parent regclass, before timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET lock_timeout = '3s'
AS $$
DECLARE
    table_name text;
    partition_name text;
    any_rows boolean;
BEGIN
    SELECT relname INTO table_name
    FROM pg_class
    WHERE oid = parent AND relnamespace = 'public'::regnamespace AND relname IN ('api_cost_tracking', 'webhook_events');
    IF NOT FOUND OR before IS NULL THEN
        RAISE EXCEPTION 'no partitions of % are dropped before %', parent, before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR partition_name IN
        SELECT class.relname
        FROM pg_inherits AS inherits
        JOIN pg_class AS class ON class.oid = inherits.inhrelid
        WHERE inherits.inhparent = parent
            AND substring(pg_get_expr(class.relpartbound, class.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz <= before
        ORDER BY class.relname
    LOOP
        IF table_name = 'webhook_events' THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', partition_name) INTO any_rows;
            CONTINUE WHEN any_rows;
        END IF;
        EXECUTE format('DROP TABLE public.%I', partition_name);
        RETURN NEXT partition_name;
    END LOOP;
END
$$;

COMMENT ON FUNCTION drop_partitions(regclass, timestamptz) IS
    'Drops the partitions whose whole time lies before an instant; returns their names';

REVOKE ALL ON FUNCTION drop_partitions(regclass, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_partitions(regclass, timestamptz) TO neanelu_pipeline;

-- The owner sees no row of a table whose row-level security is forced.
SET LOCAL ROLE neanelu_pipeline;

UPDATE pipeline.webhook_keys k
   SET state = 'new'
  FROM webhook_events e
 WHERE e.id = k.event_id
   AND e.created_at = k.received_at
   AND COALESCE(e.retry_count, 0) = 0
   AND (k.state = 'waiting' AND e.topic = 'products/delete'
        OR k.state = 'aside'
           AND e.processing_error LIKE 'Nothing here processes the topic %'
           AND e.topic ~ '^(orders/(create|updated|paid|cancelled|fulfilled|partially_fulfilled|delete)'
                         '|customers/(create|update|enable|disable|delete)|collections/(create|update|delete)'
                         '|locations/(create|update|activate|deactivate|delete)'
                         '|inventory_levels/(update|connect|disconnect))$');

RESET ROLE;
