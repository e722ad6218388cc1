-- A resource's checkpoint says whether an export of it is under way or has failed. It follows the runs themselves, so
-- that it is right whoever ends one: a load, a poll, the next load that finds it dead, a person. How far the checkpoint
-- has come (last_sync_at) is moved by the load, with the run's completion (sql/checkpoints/).

SET LOCAL ROLE neanelu_owner;

-- Nothing in Shopify is older than 1970: before the first sync all of that is synchronized, and nothing else.
CREATE FUNCTION pipeline.follow_export() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_status TEXT := 'idle';
BEGIN
    IF NEW.status IN ('pending', 'running') OR NEW.status = 'completed' AND EXISTS (
        SELECT
          FROM public.bulk_runs r
         WHERE r.shop_id = NEW.shop_id
           AND r.status IN ('pending', 'running')
           AND r.query_type = NEW.query_type
           AND r.cursor_state ? 'bulk'
    ) THEN
        new_status := 'running';
    ELSIF NEW.status = 'failed' THEN
        new_status := 'error';
    END IF;
    INSERT INTO public.sync_checkpoints AS c (shop_id, resource_type, last_sync_at, status, error_message)
    VALUES (NEW.shop_id, NEW.query_type, 'epoch', new_status, CASE new_status WHEN 'error' THEN NEW.error_message END)
    ON CONFLICT (shop_id, resource_type) DO UPDATE
       SET status = excluded.status,
           error_message = CASE WHEN excluded.status = 'running' AND NEW.status <> 'completed' THEN c.error_message
                                ELSE excluded.error_message END,
           updated_at = now();
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pipeline.follow_export() IS 'Tells the checkpoint of a resource what its export is at';

CREATE TRIGGER bulk_runs_export_begun AFTER INSERT ON bulk_runs
    FOR EACH ROW WHEN (NEW.cursor_state ? 'bulk' AND NEW.query_type IS NOT NULL)
    EXECUTE FUNCTION pipeline.follow_export();
CREATE TRIGGER bulk_runs_export_moved AFTER UPDATE OF status ON bulk_runs
    FOR EACH ROW
    WHEN (NEW.status IS DISTINCT FROM OLD.status AND NEW.cursor_state ? 'bulk' AND NEW.query_type IS NOT NULL)
    EXECUTE FUNCTION pipeline.follow_export();
