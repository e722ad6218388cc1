-- A share of the staged rows, as the mirror has them. By itself where the mirror has none of the shop's; else merge_entity
-- says what happens to those that are there.
INSERT INTO {table} AS m (shop_id, {fingerprint_column}, synced_at, {columns})
SELECT %(shop_id)s, {fingerprint}, {told_at}, {values}
  FROM {staging} s
  {joins}
 WHERE s.bulk_run_id = %(run_id)s
   AND s.validation_status = 'valid'
   AND {share}
