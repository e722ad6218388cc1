-- The tenant context: one place. SET takes no parameters, set_config does; true = for this transaction only.
SELECT set_config('app.current_shop_id', %(shop_id)s, true),
       set_config('app.trace_id', %(trace_id)s, true)
