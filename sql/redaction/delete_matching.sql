DELETE FROM {table} t WHERE {scope} AND ({matches})
