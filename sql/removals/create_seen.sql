-- For this transaction: what the export holds, under whatever reason its line may have been rejected.
CREATE TEMPORARY TABLE seen_gids (gid VARCHAR(200) COLLATE "C" NOT NULL) ON COMMIT DROP
