-- The tenant keeps what the merge, removals and the application write. The pipeline's own books it only reads: who could
-- write them could make a load look merged, a webhook look processed or a bucket look full.

SET LOCAL ROLE neanelu_owner;

REVOKE INSERT, UPDATE, DELETE ON
    bulk_runs, bulk_steps, bulk_artifacts, bulk_errors,
    sync_checkpoints, webhook_events, pipeline.webhook_keys,
    rate_limit_buckets, api_cost_tracking, api_usage_log,
    analytics_daily_shop
    FROM neanelu_tenant;

-- Staging is filled, judged and emptied by the pipeline; the tenant merges what stands in it.
DO $$
DECLARE
    staging REGCLASS;
BEGIN
    FOR staging IN
        SELECT oid
        FROM pg_class
        WHERE relkind = 'r'
          AND relname LIKE 'staging\_%'
          AND relnamespace IN ('public'::regnamespace, 'pipeline'::regnamespace)
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM neanelu_tenant', staging);
    END LOOP;
END
$$;
