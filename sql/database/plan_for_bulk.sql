-- For this transaction: rows that were just copied have no statistics, and neither has a mirror that was empty a moment
-- ago, so the planner takes them for few and walks one by one. Thousands of rows are joined by hashing.
SELECT set_config('enable_nestloop', %(nestloop)s, true),
       set_config('work_mem', '64MB', true),
       set_config('jit', 'off', true)
