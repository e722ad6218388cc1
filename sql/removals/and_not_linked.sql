AND NOT EXISTS (SELECT FROM {other_table} other WHERE other.{other_column} = l.{child_column})
