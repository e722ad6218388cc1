SELECT table_name, row_count
FROM public.default_partition_rows()
