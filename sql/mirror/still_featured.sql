EXISTS (SELECT FROM {table} was
         WHERE was.{parent_column} = parent.id
           AND was.{child_column} = {child_key}
           AND was.is_featured)
