ANALYZE pg_temp.seen_gids
