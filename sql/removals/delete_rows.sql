DELETE FROM {table} WHERE {column} = ANY (%(keys)s)
