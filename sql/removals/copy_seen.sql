COPY pg_temp.seen_gids (gid) FROM STDIN (FORMAT binary)
