SELECT public.ensure_partitions(%(table)s::regclass, %(start)s, %(end)s)
