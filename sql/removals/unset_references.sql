UPDATE {table} SET {column} = NULL WHERE {column} = ANY (%(keys)s)
