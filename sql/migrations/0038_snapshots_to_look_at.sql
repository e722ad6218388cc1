-- A sensor asks every minute which whole exports were merged and not yet looked at for what is gone; a shop's ledger holds
-- thousands of loads of events beside them.

SET LOCAL ROLE neanelu_owner;

CREATE INDEX idx_bulk_runs_exports ON bulk_runs (shop_id, completed_at)
    WHERE status = 'completed' AND cursor_state ? 'bulk';
