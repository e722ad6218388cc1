-- Module A: system core and multi-tenancy.

SET LOCAL ROLE neanelu_owner;

-- shops -------------------------------------------------------------------------------------------

CREATE TABLE shops (
    id                      UUID        DEFAULT uuidv7() PRIMARY KEY,
    shopify_domain          CITEXT      NOT NULL CONSTRAINT idx_shops_domain UNIQUE,
    shopify_shop_id         BIGINT      UNIQUE,
    plan_tier               VARCHAR(20) DEFAULT 'basic' NOT NULL,
    api_version             VARCHAR(20) DEFAULT '2025-10',
    access_token_ciphertext BYTEA       NOT NULL,
    access_token_iv         BYTEA       NOT NULL,
    access_token_tag        BYTEA       NOT NULL,
    webhook_secret          BYTEA,
    key_version             INTEGER     DEFAULT 1 NOT NULL,
    scopes                  TEXT[]      NOT NULL,
    timezone                VARCHAR(50) DEFAULT 'Europe/Bucharest',
    currency_code           VARCHAR(3)  DEFAULT 'RON',
    settings                JSONB       DEFAULT '{}',
    installed_at            TIMESTAMPTZ DEFAULT now(),
    uninstalled_at          TIMESTAMPTZ,
    created_at              TIMESTAMPTZ DEFAULT now(),
    updated_at              TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_shops_plan ON shops (plan_tier);
CREATE INDEX idx_shops_shopify_id ON shops (shopify_shop_id)
    WHERE shopify_shop_id IS NOT NULL;

COMMENT ON TABLE shops IS
    'Shops that installed the application: domain, plan, encrypted access token, settings. The tenants.';
COMMENT ON COLUMN shops.id IS 'Shop identifier';
COMMENT ON COLUMN shops.shopify_domain IS 'myshop.myshopify.com';
COMMENT ON COLUMN shops.shopify_shop_id IS 'Shopify numeric ID for API correlation';
COMMENT ON COLUMN shops.plan_tier IS 'basic/pro/enterprise';
COMMENT ON COLUMN shops.api_version IS 'Current Shopify API version';
COMMENT ON COLUMN shops.access_token_ciphertext IS 'AES-256-GCM encrypted';
COMMENT ON COLUMN shops.access_token_iv IS 'Initialization vector';
COMMENT ON COLUMN shops.access_token_tag IS 'Auth tag';
COMMENT ON COLUMN shops.webhook_secret IS 'HMAC validation key for webhooks';
COMMENT ON COLUMN shops.key_version IS 'Key rotation version';
COMMENT ON COLUMN shops.scopes IS 'Granted OAuth scopes.';
COMMENT ON COLUMN shops.timezone IS 'Shop timezone (IANA)';
COMMENT ON COLUMN shops.currency_code IS 'Primary currency (ISO 4217)';
COMMENT ON COLUMN shops.settings IS 'Shop-level config';
COMMENT ON COLUMN shops.installed_at IS 'Install timestamp';
COMMENT ON COLUMN shops.uninstalled_at IS 'Uninstall timestamp';
COMMENT ON COLUMN shops.created_at IS 'When the row was created here';
COMMENT ON COLUMN shops.updated_at IS 'When the row was last changed here';

-- staff_users -------------------------------------------------------------------------------------

CREATE TABLE staff_users (
    id            UUID         DEFAULT uuidv7() PRIMARY KEY,
    shop_id       UUID         NOT NULL REFERENCES shops (id),
    email         CITEXT       NOT NULL,
    first_name    VARCHAR(100),
    last_name     VARCHAR(100),
    role          JSONB        DEFAULT '{"admin":false}',
    locale        VARCHAR(10)  DEFAULT 'en',
    last_login_at TIMESTAMPTZ,
    created_at    TIMESTAMPTZ  DEFAULT now()
);

CREATE UNIQUE INDEX idx_staff_shop_email ON staff_users (shop_id, email);

COMMENT ON TABLE staff_users IS
    'People who work in a shop, with their role.';
COMMENT ON COLUMN staff_users.id IS 'Primary key';
COMMENT ON COLUMN staff_users.shop_id IS 'The shop where the user works';
COMMENT ON COLUMN staff_users.email IS 'Email address, unique within the shop';
COMMENT ON COLUMN staff_users.first_name IS 'First name';
COMMENT ON COLUMN staff_users.last_name IS 'Last name';
COMMENT ON COLUMN staff_users.role IS 'Role permissions';
COMMENT ON COLUMN staff_users.locale IS 'Language of the user interface';
COMMENT ON COLUMN staff_users.last_login_at IS 'When the user last logged in';
COMMENT ON COLUMN staff_users.created_at IS 'When the row was created here';

-- app_sessions ------------------------------------------------------------------------------------

CREATE TABLE app_sessions (
    id         VARCHAR(255) PRIMARY KEY,
    shop_id    UUID         NOT NULL REFERENCES shops (id),
    payload    JSONB        NOT NULL,
    expires_at TIMESTAMPTZ  NOT NULL,
    created_at TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_sessions_shop ON app_sessions (shop_id);
CREATE INDEX idx_sessions_expires ON app_sessions (expires_at);

COMMENT ON TABLE app_sessions IS
    'Sessions of the application.';
COMMENT ON COLUMN app_sessions.id IS 'Session ID';
COMMENT ON COLUMN app_sessions.shop_id IS 'The shop that the row belongs to';
COMMENT ON COLUMN app_sessions.payload IS 'Session data';
COMMENT ON COLUMN app_sessions.expires_at IS 'Expiration';
COMMENT ON COLUMN app_sessions.created_at IS 'When the row was created here';

-- oauth_states ------------------------------------------------------------------------------------

CREATE TABLE oauth_states (
    id           UUID        DEFAULT uuidv7() PRIMARY KEY,
    state        VARCHAR(64) NOT NULL CONSTRAINT idx_oauth_states_state UNIQUE,
    shop_domain  CITEXT      NOT NULL,
    redirect_uri TEXT        NOT NULL,
    nonce        VARCHAR(64) NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    used_at      TIMESTAMPTZ,
    created_at   TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_oauth_states_expires ON oauth_states (expires_at)
    WHERE used_at IS NULL;

COMMENT ON TABLE oauth_states IS
    'CSRF protection of the OAuth flow: short-lived, before a shop is known.';
COMMENT ON COLUMN oauth_states.id IS 'State identifier';
COMMENT ON COLUMN oauth_states.state IS 'Random state token';
COMMENT ON COLUMN oauth_states.shop_domain IS 'Target shop domain';
COMMENT ON COLUMN oauth_states.redirect_uri IS 'Return URL after OAuth';
COMMENT ON COLUMN oauth_states.nonce IS 'Additional entropy';
COMMENT ON COLUMN oauth_states.expires_at IS 'TTL (5-10 min)';
COMMENT ON COLUMN oauth_states.used_at IS 'When consumed';
COMMENT ON COLUMN oauth_states.created_at IS 'When the row was created here';

-- oauth_nonces ------------------------------------------------------------------------------------

CREATE TABLE oauth_nonces (
    id         UUID        DEFAULT uuidv7() PRIMARY KEY,
    nonce      VARCHAR(64) NOT NULL CONSTRAINT idx_oauth_nonces_nonce UNIQUE,
    shop_id    UUID        REFERENCES shops (id),
    used_at    TIMESTAMPTZ,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_oauth_nonces_expires ON oauth_nonces (expires_at);

COMMENT ON TABLE oauth_nonces IS
    'Replay protection of the OAuth flow.';
COMMENT ON COLUMN oauth_nonces.id IS 'Nonce identifier';
COMMENT ON COLUMN oauth_nonces.nonce IS 'Random nonce';
COMMENT ON COLUMN oauth_nonces.shop_id IS 'Associated shop';
COMMENT ON COLUMN oauth_nonces.used_at IS 'When consumed';
COMMENT ON COLUMN oauth_nonces.expires_at IS 'TTL';
COMMENT ON COLUMN oauth_nonces.created_at IS 'When the row was created here';

-- key_rotations -----------------------------------------------------------------------------------

CREATE TABLE key_rotations (
    id              UUID        DEFAULT uuidv7() PRIMARY KEY,
    key_version_old INTEGER     NOT NULL,
    key_version_new INTEGER     NOT NULL,
    initiated_by    UUID        REFERENCES staff_users (id),
    status          VARCHAR(20) DEFAULT 'in_progress' NOT NULL,
    records_updated INTEGER     DEFAULT 0,
    started_at      TIMESTAMPTZ DEFAULT now(),
    completed_at    TIMESTAMPTZ,
    error_message   TEXT
);

CREATE INDEX idx_key_rotations_status ON key_rotations (status)
    WHERE status = 'in_progress';

COMMENT ON TABLE key_rotations IS
    'Audit trail of encryption key rotations.';
COMMENT ON COLUMN key_rotations.id IS 'Rotation identifier';
COMMENT ON COLUMN key_rotations.key_version_old IS 'Previous key version';
COMMENT ON COLUMN key_rotations.key_version_new IS 'New key version';
COMMENT ON COLUMN key_rotations.initiated_by IS 'Who started rotation';
COMMENT ON COLUMN key_rotations.status IS 'in_progress/completed/failed';
COMMENT ON COLUMN key_rotations.records_updated IS 'Count of re-encrypted records';
COMMENT ON COLUMN key_rotations.started_at IS 'When it began';
COMMENT ON COLUMN key_rotations.completed_at IS 'When it ended';
COMMENT ON COLUMN key_rotations.error_message IS 'If failed';

-- feature_flags -----------------------------------------------------------------------------------

CREATE TABLE feature_flags (
    id                 UUID         DEFAULT uuidv7() PRIMARY KEY,
    flag_key           VARCHAR(100) NOT NULL CONSTRAINT idx_feature_flags_key UNIQUE,
    description        TEXT,
    default_value      BOOLEAN      DEFAULT false NOT NULL,
    is_active          BOOLEAN      DEFAULT true NOT NULL,
    rollout_percentage INTEGER      DEFAULT 0 CHECK (rollout_percentage >= 0 AND rollout_percentage <= 100),
    allowed_shop_ids   UUID[]       DEFAULT '{}',
    blocked_shop_ids   UUID[]       DEFAULT '{}',
    conditions         JSONB        DEFAULT '{}',
    created_by         UUID         REFERENCES staff_users (id),
    created_at         TIMESTAMPTZ  DEFAULT now(),
    updated_at         TIMESTAMPTZ  DEFAULT now()
);

CREATE INDEX idx_feature_flags_active ON feature_flags (is_active)
    WHERE is_active = true;

COMMENT ON TABLE feature_flags IS
    'Feature flags, with rollout and per-shop lists.';
COMMENT ON COLUMN feature_flags.id IS 'Flag identifier';
COMMENT ON COLUMN feature_flags.flag_key IS 'Flag name (e.g., ''bulk_v2'')';
COMMENT ON COLUMN feature_flags.description IS 'Purpose description';
COMMENT ON COLUMN feature_flags.default_value IS 'Default state';
COMMENT ON COLUMN feature_flags.is_active IS 'Kill switch';
COMMENT ON COLUMN feature_flags.rollout_percentage IS 'Gradual rollout (0-100%)';
COMMENT ON COLUMN feature_flags.allowed_shop_ids IS 'Whitelist';
COMMENT ON COLUMN feature_flags.blocked_shop_ids IS 'Blacklist';
COMMENT ON COLUMN feature_flags.conditions IS 'Complex rules';
COMMENT ON COLUMN feature_flags.created_by IS 'Who created it';
COMMENT ON COLUMN feature_flags.created_at IS 'When the row was created here';
COMMENT ON COLUMN feature_flags.updated_at IS 'When the row was last changed here';

-- system_config -----------------------------------------------------------------------------------

CREATE TABLE system_config (
    key          VARCHAR(100) PRIMARY KEY,
    value        JSONB        NOT NULL,
    description  TEXT,
    is_sensitive BOOLEAN      DEFAULT false,
    updated_by   UUID         REFERENCES staff_users (id),
    updated_at   TIMESTAMPTZ  DEFAULT now(),
    created_at   TIMESTAMPTZ  DEFAULT now()
);

COMMENT ON TABLE system_config IS
    'Persistent system-wide configuration.';
COMMENT ON COLUMN system_config.key IS 'Config key';
COMMENT ON COLUMN system_config.value IS 'Config value';
COMMENT ON COLUMN system_config.description IS 'Purpose';
COMMENT ON COLUMN system_config.is_sensitive IS 'Mask in UI';
COMMENT ON COLUMN system_config.updated_by IS 'Last modifier';
COMMENT ON COLUMN system_config.updated_at IS 'When the row was last changed here';
COMMENT ON COLUMN system_config.created_at IS 'When the row was created here';

-- migration_history -------------------------------------------------------------------------------

-- The runner makes this table before the first migration (sql/database/create_migration_history.sql), because a
-- migration that fails must be able to say so in it. Here it becomes the owner's, and gets what the document adds.

CREATE INDEX idx_migration_applied ON migration_history (applied_at DESC);

COMMENT ON TABLE migration_history IS
    'Migrations of this database: what ran, when, for how long, and what failed.';
COMMENT ON COLUMN migration_history.id IS 'Migration identifier';
COMMENT ON COLUMN migration_history.migration_name IS 'Migration file name';
COMMENT ON COLUMN migration_history.checksum IS 'SHA-256 of migration';
COMMENT ON COLUMN migration_history.applied_at IS 'When applied';
COMMENT ON COLUMN migration_history.applied_by IS 'Role that ran it';
COMMENT ON COLUMN migration_history.execution_time_ms IS 'Duration';
COMMENT ON COLUMN migration_history.success IS 'Whether it was applied; a failed one is tried again';
COMMENT ON COLUMN migration_history.error_message IS 'If failed';
