-- Module G: jobs, schedules, rate limits.

SET LOCAL ROLE neanelu_owner;

-- job_runs ----------------------------------------------------------------------------------------

CREATE TABLE job_runs (
    id            UUID                  DEFAULT uuidv7() PRIMARY KEY,
    shop_id       UUID                  REFERENCES shops (id),
    queue_name    VARCHAR(100)          NOT NULL,
    job_id        VARCHAR(255)          NOT NULL,
    job_name      VARCHAR(100)          NOT NULL,
    status        VARCHAR(20)           NOT NULL,
    priority      INTEGER               DEFAULT 0,
    attempts      INTEGER               DEFAULT 0,
    max_attempts  INTEGER               DEFAULT 3,
    payload       JSONB COMPRESSION lz4 NOT NULL,
    result        JSONB,
    error_message TEXT,
    error_stack   TEXT,
    started_at    TIMESTAMPTZ,
    completed_at  TIMESTAMPTZ,
    failed_at     TIMESTAMPTZ,
    created_at    TIMESTAMPTZ           DEFAULT now()
);

CREATE INDEX idx_jobs_queue ON job_runs (queue_name, status);
CREATE INDEX idx_jobs_shop ON job_runs (shop_id, status);
CREATE INDEX idx_jobs_bullmq ON job_runs (queue_name, job_id);

COMMENT ON TABLE job_runs IS
    'Runs of the orchestrator''s jobs.';
COMMENT ON COLUMN job_runs.id IS 'Primary key';
COMMENT ON COLUMN job_runs.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN job_runs.queue_name IS 'Dagster job';
COMMENT ON COLUMN job_runs.job_id IS 'Dagster run ID';
COMMENT ON COLUMN job_runs.job_name IS 'Job type';
COMMENT ON COLUMN job_runs.status IS 'waiting/active/completed/failed';
COMMENT ON COLUMN job_runs.priority IS 'Higher = first';
COMMENT ON COLUMN job_runs.attempts IS 'Attempts made so far';
COMMENT ON COLUMN job_runs.max_attempts IS 'Attempts before it is given up';
COMMENT ON COLUMN job_runs.payload IS 'Job data';
COMMENT ON COLUMN job_runs.result IS 'Job result';
COMMENT ON COLUMN job_runs.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN job_runs.error_stack IS 'Stack trace, if it failed';
COMMENT ON COLUMN job_runs.started_at IS 'When it began';
COMMENT ON COLUMN job_runs.completed_at IS 'When it ended';
COMMENT ON COLUMN job_runs.failed_at IS 'When it failed';
COMMENT ON COLUMN job_runs.created_at IS 'When the row was created here';

-- scheduled_tasks ---------------------------------------------------------------------------------

CREATE TABLE scheduled_tasks (
    id              UUID         DEFAULT uuidv7() PRIMARY KEY,
    shop_id         UUID         REFERENCES shops (id),
    task_name       VARCHAR(100) NOT NULL,
    cron_expression VARCHAR(100) NOT NULL,
    queue_name      VARCHAR(100) NOT NULL,
    job_data        JSONB        DEFAULT '{}',
    is_active       BOOLEAN      DEFAULT true,
    last_run_at     TIMESTAMPTZ,
    next_run_at     TIMESTAMPTZ,
    run_count       INTEGER      DEFAULT 0,
    error_count     INTEGER      DEFAULT 0,
    created_at      TIMESTAMPTZ  DEFAULT now(),
    updated_at      TIMESTAMPTZ  DEFAULT now()
);

COMMENT ON TABLE scheduled_tasks IS
    'Schedules kept in the database that the orchestrator obeys.';
COMMENT ON COLUMN scheduled_tasks.id IS 'Primary key';
COMMENT ON COLUMN scheduled_tasks.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN scheduled_tasks.task_name IS 'Name of the task';
COMMENT ON COLUMN scheduled_tasks.cron_expression IS 'When it runs, as a cron expression';
COMMENT ON COLUMN scheduled_tasks.queue_name IS 'Dagster job to start';
COMMENT ON COLUMN scheduled_tasks.job_data IS 'What the job is given';
COMMENT ON COLUMN scheduled_tasks.is_active IS 'Whether it is in use';
COMMENT ON COLUMN scheduled_tasks.last_run_at IS 'When it last ran';
COMMENT ON COLUMN scheduled_tasks.next_run_at IS 'When it runs next';
COMMENT ON COLUMN scheduled_tasks.run_count IS 'Runs so far';
COMMENT ON COLUMN scheduled_tasks.error_count IS 'Runs that failed so far';
COMMENT ON COLUMN scheduled_tasks.created_at IS 'When the row was created here';
COMMENT ON COLUMN scheduled_tasks.updated_at IS 'When the row was last changed here';

-- rate_limit_buckets ------------------------------------------------------------------------------

CREATE TABLE rate_limit_buckets (
    shop_id               UUID          PRIMARY KEY REFERENCES shops (id),
    tokens_remaining      DECIMAL(10,2) DEFAULT 1000 NOT NULL,
    max_tokens            DECIMAL(10,2) DEFAULT 1000 NOT NULL,
    refill_rate           DECIMAL(10,4) DEFAULT 2.0 NOT NULL,
    last_refill_at        TIMESTAMPTZ   DEFAULT now() NOT NULL,
    locked_until          TIMESTAMPTZ,
    consecutive_429_count INTEGER       DEFAULT 0,
    updated_at            TIMESTAMPTZ   DEFAULT now()
);

COMMENT ON TABLE rate_limit_buckets IS
    'Token bucket of each shop for distributed rate limiting.';
COMMENT ON COLUMN rate_limit_buckets.shop_id IS 'One bucket per shop';
COMMENT ON COLUMN rate_limit_buckets.tokens_remaining IS 'Current tokens';
COMMENT ON COLUMN rate_limit_buckets.max_tokens IS 'Bucket capacity';
COMMENT ON COLUMN rate_limit_buckets.refill_rate IS 'Tokens/second';
COMMENT ON COLUMN rate_limit_buckets.last_refill_at IS 'Last refill time';
COMMENT ON COLUMN rate_limit_buckets.locked_until IS 'Backoff lock';
COMMENT ON COLUMN rate_limit_buckets.consecutive_429_count IS 'Throttle counter';
COMMENT ON COLUMN rate_limit_buckets.updated_at IS 'When the bucket was last changed';

-- api_cost_tracking -------------------------------------------------------------------------------

CREATE TABLE api_cost_tracking (
    id               UUID          DEFAULT uuidv7(),
    shop_id          UUID          NOT NULL REFERENCES shops (id),
    operation_type   VARCHAR(50)   NOT NULL,
    query_hash       VARCHAR(64),
    actual_cost      INTEGER       NOT NULL,
    throttle_status  VARCHAR(20),
    available_cost   INTEGER,
    restore_rate     DECIMAL(10,2),
    requested_at     TIMESTAMPTZ   DEFAULT now(),
    response_time_ms INTEGER,
    created_at       TIMESTAMPTZ   DEFAULT now() NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_api_cost_shop_date ON api_cost_tracking (shop_id, requested_at DESC);
CREATE INDEX idx_api_cost_throttled ON api_cost_tracking (shop_id, throttle_status)
    WHERE throttle_status IS NOT NULL;

COMMENT ON TABLE api_cost_tracking IS
    'GraphQL cost of each request. Daily partitions by created_at, kept for 7 days.';
COMMENT ON COLUMN api_cost_tracking.id IS 'Primary key';
COMMENT ON COLUMN api_cost_tracking.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN api_cost_tracking.operation_type IS 'Query type';
COMMENT ON COLUMN api_cost_tracking.query_hash IS 'Query fingerprint';
COMMENT ON COLUMN api_cost_tracking.actual_cost IS 'Points used';
COMMENT ON COLUMN api_cost_tracking.throttle_status IS 'THROTTLED if hit limit';
COMMENT ON COLUMN api_cost_tracking.available_cost IS 'Remaining points';
COMMENT ON COLUMN api_cost_tracking.restore_rate IS 'Points/second restore';
COMMENT ON COLUMN api_cost_tracking.requested_at IS 'Request timestamp';
COMMENT ON COLUMN api_cost_tracking.response_time_ms IS 'Latency';
COMMENT ON COLUMN api_cost_tracking.created_at IS 'When the row was created here';
