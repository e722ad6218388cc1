-- Module L: scrapers and the cost of external APIs.

SET LOCAL ROLE neanelu_owner;

-- scraper_configs ---------------------------------------------------------------------------------

CREATE TABLE scraper_configs (
    id                 UUID         DEFAULT uuidv7() PRIMARY KEY,
    source_id          UUID         NOT NULL REFERENCES prod_sources (id),
    name               VARCHAR(100) NOT NULL,
    scraper_type       VARCHAR(50)  NOT NULL,
    target_url_pattern TEXT         NOT NULL,
    selectors          JSONB        NOT NULL,
    pagination_config  JSONB,
    rate_limit         JSONB,
    retry_config       JSONB,
    headers            JSONB        DEFAULT '{}',
    cookies            JSONB        DEFAULT '{}',
    proxy_config       JSONB,
    is_active          BOOLEAN      DEFAULT true,
    last_run_at        TIMESTAMPTZ,
    success_rate       DECIMAL(5,2),
    created_at         TIMESTAMPTZ  DEFAULT now(),
    updated_at         TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_scraper_configs_source ON scraper_configs (source_id);
CREATE INDEX idx_scraper_configs_active ON scraper_configs (is_active, scraper_type);

COMMENT ON TABLE scraper_configs IS
    'How a source''s pages are scraped.';
COMMENT ON COLUMN scraper_configs.id IS 'Primary key';
COMMENT ON COLUMN scraper_configs.source_id IS 'The source whose pages it reads';
COMMENT ON COLUMN scraper_configs.name IS 'Config name';
COMMENT ON COLUMN scraper_configs.scraper_type IS
    'CHEERIO (HTTP and HTML parsing)/PLAYWRIGHT/PUPPETEER (rendered page)';
COMMENT ON COLUMN scraper_configs.target_url_pattern IS 'URL regex pattern';
COMMENT ON COLUMN scraper_configs.selectors IS 'CSS/XPath selectors';
COMMENT ON COLUMN scraper_configs.pagination_config IS '{type, selector, maxPages}';
COMMENT ON COLUMN scraper_configs.rate_limit IS '{requestsPerSecond, minDelay}';
COMMENT ON COLUMN scraper_configs.retry_config IS '{maxRetries, backoffMs}';
COMMENT ON COLUMN scraper_configs.headers IS 'Custom headers';
COMMENT ON COLUMN scraper_configs.cookies IS 'Cookies sent with each request';
COMMENT ON COLUMN scraper_configs.proxy_config IS 'Proxy settings';
COMMENT ON COLUMN scraper_configs.is_active IS 'Whether it is in use';
COMMENT ON COLUMN scraper_configs.last_run_at IS 'When it last ran';
COMMENT ON COLUMN scraper_configs.success_rate IS '% successful';
COMMENT ON COLUMN scraper_configs.created_at IS 'When the row was created here';
COMMENT ON COLUMN scraper_configs.updated_at IS 'When the row was last changed here';

-- scraper_runs ------------------------------------------------------------------------------------

CREATE TABLE scraper_runs (
    id               UUID        DEFAULT uuidv7() PRIMARY KEY,
    config_id        UUID        NOT NULL REFERENCES scraper_configs (id),
    source_id        UUID        NOT NULL REFERENCES prod_sources (id),
    status           VARCHAR(20) DEFAULT 'pending' NOT NULL,
    trigger_type     VARCHAR(30),
    target_urls      TEXT[],
    pages_crawled    INTEGER     DEFAULT 0,
    products_found   INTEGER     DEFAULT 0,
    products_updated INTEGER     DEFAULT 0,
    errors_count     INTEGER     DEFAULT 0,
    error_log        JSONB       DEFAULT '[]',
    started_at       TIMESTAMPTZ,
    completed_at     TIMESTAMPTZ,
    duration_ms      INTEGER,
    memory_peak_mb   INTEGER,
    created_at       TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_scraper_runs_config ON scraper_runs (config_id, created_at DESC);
CREATE INDEX idx_scraper_runs_status ON scraper_runs (status, created_at DESC);
CREATE INDEX idx_scraper_runs_source ON scraper_runs (source_id, created_at DESC);

COMMENT ON TABLE scraper_runs IS
    'Runs of a scraper: pages, products, errors, duration.';
COMMENT ON COLUMN scraper_runs.id IS 'Primary key';
COMMENT ON COLUMN scraper_runs.config_id IS 'The scraper configuration it follows';
COMMENT ON COLUMN scraper_runs.source_id IS 'The source that was scraped';
COMMENT ON COLUMN scraper_runs.status IS 'pending/running/completed/failed/cancelled';
COMMENT ON COLUMN scraper_runs.trigger_type IS 'manual/scheduled/webhook';
COMMENT ON COLUMN scraper_runs.target_urls IS 'Specific URLs to scrape';
COMMENT ON COLUMN scraper_runs.pages_crawled IS 'Pages fetched';
COMMENT ON COLUMN scraper_runs.products_found IS 'Products found on the pages';
COMMENT ON COLUMN scraper_runs.products_updated IS 'Products whose data changed';
COMMENT ON COLUMN scraper_runs.errors_count IS 'Pages that failed';
COMMENT ON COLUMN scraper_runs.error_log IS '[{url, error, timestamp}]';
COMMENT ON COLUMN scraper_runs.started_at IS 'When it began';
COMMENT ON COLUMN scraper_runs.completed_at IS 'When it ended';
COMMENT ON COLUMN scraper_runs.duration_ms IS 'Total runtime';
COMMENT ON COLUMN scraper_runs.memory_peak_mb IS 'Peak memory usage';
COMMENT ON COLUMN scraper_runs.created_at IS 'When the row was created here';

-- scraper_queue -----------------------------------------------------------------------------------

CREATE TABLE scraper_queue (
    id              UUID        DEFAULT uuidv7() PRIMARY KEY,
    config_id       UUID        NOT NULL REFERENCES scraper_configs (id),
    url             TEXT        NOT NULL,
    priority        INTEGER     DEFAULT 0,
    depth           INTEGER     DEFAULT 0,
    parent_url      TEXT,
    status          VARCHAR(20) DEFAULT 'pending',
    attempts        INTEGER     DEFAULT 0,
    max_attempts    INTEGER     DEFAULT 3,
    last_attempt_at TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ,
    error_message   TEXT,
    created_at      TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_scraper_queue_pending ON scraper_queue (config_id, priority DESC, created_at)
    WHERE status = 'pending';
CREATE INDEX idx_scraper_queue_url ON scraper_queue (url);
CREATE INDEX idx_scraper_queue_next ON scraper_queue (next_attempt_at)
    WHERE status = 'pending';

COMMENT ON TABLE scraper_queue IS
    'URLs waiting to be scraped.';
COMMENT ON COLUMN scraper_queue.id IS 'Primary key';
COMMENT ON COLUMN scraper_queue.config_id IS 'The scraper configuration that says how to read the page';
COMMENT ON COLUMN scraper_queue.url IS 'URL to scrape';
COMMENT ON COLUMN scraper_queue.priority IS 'Higher = first';
COMMENT ON COLUMN scraper_queue.depth IS 'Crawl depth from seed';
COMMENT ON COLUMN scraper_queue.parent_url IS 'Referring URL';
COMMENT ON COLUMN scraper_queue.status IS 'pending/processing/completed/failed';
COMMENT ON COLUMN scraper_queue.attempts IS 'Attempts made so far';
COMMENT ON COLUMN scraper_queue.max_attempts IS 'Attempts before it is given up';
COMMENT ON COLUMN scraper_queue.last_attempt_at IS 'When it was last attempted';
COMMENT ON COLUMN scraper_queue.next_attempt_at IS 'Backoff time';
COMMENT ON COLUMN scraper_queue.error_message IS 'What went wrong, if it did';
COMMENT ON COLUMN scraper_queue.created_at IS 'When the row was created here';

-- api_usage_log -----------------------------------------------------------------------------------

CREATE TABLE api_usage_log (
    id               UUID          DEFAULT uuidv7(),
    api_provider     VARCHAR(50)   NOT NULL,
    endpoint         VARCHAR(100)  NOT NULL,
    request_count    INTEGER       DEFAULT 1 NOT NULL,
    tokens_input     INTEGER,
    tokens_output    INTEGER,
    estimated_cost   DECIMAL(10,4),
    http_status      INTEGER,
    response_time_ms INTEGER,
    job_id           VARCHAR(255),
    product_id       UUID          REFERENCES prod_master (id),
    shop_id          UUID          REFERENCES shops (id),
    error_message    TEXT,
    metadata         JSONB         DEFAULT '{}',
    created_at       TIMESTAMPTZ   DEFAULT now() NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_api_usage_provider_date ON api_usage_log (api_provider, created_at);
CREATE INDEX idx_api_usage_product ON api_usage_log (product_id)
    WHERE product_id IS NOT NULL;
CREATE INDEX idx_api_usage_shop ON api_usage_log (shop_id, created_at)
    WHERE shop_id IS NOT NULL;
CREATE INDEX idx_api_usage_cost ON api_usage_log (created_at, estimated_cost)
    WHERE estimated_cost > 0;
CREATE INDEX idx_api_usage_errors ON api_usage_log (api_provider, created_at)
    WHERE http_status >= 400;

COMMENT ON TABLE api_usage_log IS
    'Calls to external APIs and what they cost. Monthly partitions by created_at.';
COMMENT ON COLUMN api_usage_log.id IS 'Primary key';
COMMENT ON COLUMN api_usage_log.api_provider IS 'google/xai/emag/barcodelookup';
COMMENT ON COLUMN api_usage_log.endpoint IS 'API endpoint path';
COMMENT ON COLUMN api_usage_log.request_count IS 'Requests in this batch';
COMMENT ON COLUMN api_usage_log.tokens_input IS 'Input tokens (LLM only)';
COMMENT ON COLUMN api_usage_log.tokens_output IS 'Output tokens (LLM only)';
COMMENT ON COLUMN api_usage_log.estimated_cost IS 'Cost in USD';
COMMENT ON COLUMN api_usage_log.http_status IS 'Response status code';
COMMENT ON COLUMN api_usage_log.response_time_ms IS 'Request latency';
COMMENT ON COLUMN api_usage_log.job_id IS 'Dagster run that made the call';
COMMENT ON COLUMN api_usage_log.product_id IS 'If related to specific product';
COMMENT ON COLUMN api_usage_log.shop_id IS 'If shop-specific';
COMMENT ON COLUMN api_usage_log.error_message IS 'Error if request failed';
COMMENT ON COLUMN api_usage_log.metadata IS 'Additional request context';
COMMENT ON COLUMN api_usage_log.created_at IS 'When the row was created here';

-- v_api_daily_costs -------------------------------------------------------------------------------
-- security_invoker: whoever reads it sees the calls that api_usage_log shows them.

CREATE VIEW v_api_daily_costs WITH (security_invoker = true) AS
SELECT
    DATE(created_at) AS date,
    api_provider,
    SUM(request_count) AS total_requests,
    SUM(tokens_input) AS total_input_tokens,
    SUM(tokens_output) AS total_output_tokens,
    SUM(estimated_cost) AS total_cost,
    COUNT(*) FILTER (WHERE http_status >= 400) AS error_count,
    AVG(response_time_ms) AS avg_response_time_ms
FROM api_usage_log
GROUP BY DATE(created_at), api_provider;

COMMENT ON VIEW v_api_daily_costs IS
    'Aggregated daily costs per API provider.';
COMMENT ON COLUMN v_api_daily_costs.date IS 'The day';
COMMENT ON COLUMN v_api_daily_costs.api_provider IS 'google/xai/emag/barcodelookup';
COMMENT ON COLUMN v_api_daily_costs.total_requests IS 'Requests made';
COMMENT ON COLUMN v_api_daily_costs.total_input_tokens IS 'Input tokens (LLM only)';
COMMENT ON COLUMN v_api_daily_costs.total_output_tokens IS 'Output tokens (LLM only)';
COMMENT ON COLUMN v_api_daily_costs.total_cost IS 'Cost in USD';
COMMENT ON COLUMN v_api_daily_costs.error_count IS 'Calls that ended with HTTP 400 or above';
COMMENT ON COLUMN v_api_daily_costs.avg_response_time_ms IS 'Average latency in milliseconds';
