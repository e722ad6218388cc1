-- Module M: analytics.

SET LOCAL ROLE neanelu_owner;

-- analytics_daily_shop ----------------------------------------------------------------------------

CREATE TABLE analytics_daily_shop (
    id                   UUID          DEFAULT uuidv7() PRIMARY KEY,
    shop_id              UUID          NOT NULL REFERENCES shops (id),
    date                 DATE          NOT NULL,
    orders_count         INTEGER       DEFAULT 0,
    orders_total         DECIMAL(14,2) DEFAULT 0,
    orders_avg           DECIMAL(12,2) DEFAULT 0,
    products_synced      INTEGER       DEFAULT 0,
    variants_synced      INTEGER       DEFAULT 0,
    customers_new        INTEGER       DEFAULT 0,
    inventory_value      DECIMAL(14,2) DEFAULT 0,
    low_stock_count      INTEGER       DEFAULT 0,
    out_of_stock_count   INTEGER       DEFAULT 0,
    bulk_runs_count      INTEGER       DEFAULT 0,
    bulk_runs_failed     INTEGER       DEFAULT 0,
    api_calls_count      INTEGER       DEFAULT 0,
    webhook_events_count INTEGER       DEFAULT 0,
    created_at           TIMESTAMPTZ   DEFAULT now()
);

CREATE UNIQUE INDEX idx_analytics_daily_shop_date ON analytics_daily_shop (shop_id, date);
CREATE INDEX idx_analytics_daily_date ON analytics_daily_shop (date DESC);

COMMENT ON TABLE analytics_daily_shop IS
    'Figures of a shop per day.';
COMMENT ON COLUMN analytics_daily_shop.id IS 'Primary key';
COMMENT ON COLUMN analytics_daily_shop.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN analytics_daily_shop.date IS 'The day, in the shop''s time zone';
COMMENT ON COLUMN analytics_daily_shop.orders_count IS 'Orders of that day';
COMMENT ON COLUMN analytics_daily_shop.orders_total IS 'Amount of that day''s orders';
COMMENT ON COLUMN analytics_daily_shop.orders_avg IS 'Average amount of that day''s orders';
COMMENT ON COLUMN analytics_daily_shop.products_synced IS 'Products synchronized that day';
COMMENT ON COLUMN analytics_daily_shop.variants_synced IS 'Variants synchronized that day';
COMMENT ON COLUMN analytics_daily_shop.customers_new IS 'Customers who came that day';
COMMENT ON COLUMN analytics_daily_shop.inventory_value IS 'Value of the stock at cost';
COMMENT ON COLUMN analytics_daily_shop.low_stock_count IS 'Variants low in stock';
COMMENT ON COLUMN analytics_daily_shop.out_of_stock_count IS 'Variants out of stock';
COMMENT ON COLUMN analytics_daily_shop.bulk_runs_count IS 'Bulk runs that day';
COMMENT ON COLUMN analytics_daily_shop.bulk_runs_failed IS 'Bulk runs that failed that day';
COMMENT ON COLUMN analytics_daily_shop.api_calls_count IS 'API calls made that day';
COMMENT ON COLUMN analytics_daily_shop.webhook_events_count IS 'Webhooks received that day';
COMMENT ON COLUMN analytics_daily_shop.created_at IS 'When the row was created here';

-- analytics_product_performance -------------------------------------------------------------------

CREATE TABLE analytics_product_performance (
    id                 UUID          DEFAULT uuidv7() PRIMARY KEY,
    shop_id            UUID          NOT NULL REFERENCES shops (id),
    product_id         UUID          NOT NULL REFERENCES shopify_products (id),
    period_start       DATE          NOT NULL,
    period_end         DATE          NOT NULL,
    period_type        VARCHAR(20)   NOT NULL,
    views_count        INTEGER       DEFAULT 0,
    orders_count       INTEGER       DEFAULT 0,
    units_sold         INTEGER       DEFAULT 0,
    revenue            DECIMAL(12,2) DEFAULT 0,
    avg_order_value    DECIMAL(12,2) DEFAULT 0,
    return_rate        DECIMAL(5,2)  DEFAULT 0,
    inventory_turnover DECIMAL(8,4),
    created_at         TIMESTAMPTZ   DEFAULT now()
);

CREATE INDEX idx_product_perf_product ON analytics_product_performance (product_id, period_type, period_start DESC);
CREATE INDEX idx_product_perf_shop_period ON analytics_product_performance (shop_id, period_type, period_start DESC);
CREATE INDEX idx_product_perf_revenue ON analytics_product_performance (shop_id, period_type, revenue DESC);

COMMENT ON TABLE analytics_product_performance IS
    'Figures of a product per period.';
COMMENT ON COLUMN analytics_product_performance.id IS 'Primary key';
COMMENT ON COLUMN analytics_product_performance.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN analytics_product_performance.product_id IS 'The shop''s product';
COMMENT ON COLUMN analytics_product_performance.period_start IS 'First day of the period';
COMMENT ON COLUMN analytics_product_performance.period_end IS 'Last day of the period';
COMMENT ON COLUMN analytics_product_performance.period_type IS 'daily/weekly/monthly';
COMMENT ON COLUMN analytics_product_performance.views_count IS 'If tracked';
COMMENT ON COLUMN analytics_product_performance.orders_count IS 'Orders with the product in the period';
COMMENT ON COLUMN analytics_product_performance.units_sold IS 'Units sold in the period';
COMMENT ON COLUMN analytics_product_performance.revenue IS 'Revenue in the period';
COMMENT ON COLUMN analytics_product_performance.avg_order_value IS 'Average value of an order in the period';
COMMENT ON COLUMN analytics_product_performance.return_rate IS '% returned';
COMMENT ON COLUMN analytics_product_performance.inventory_turnover IS 'How often the stock turned over in the period';
COMMENT ON COLUMN analytics_product_performance.created_at IS 'When the row was created here';
