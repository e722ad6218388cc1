SELECT public.drop_partitions(%(table)s::regclass, %(before)s)
