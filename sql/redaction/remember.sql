-- The moment is that of the deletion, which this shares its transaction with.
INSERT INTO pipeline.forgotten AS f (shop_id, digest, forgotten_at)
SELECT %(shop_id)s::uuid, pipeline.digest_of(%(shop_id)s::uuid, said.value), clock_timestamp()
  FROM unnest(%(values)s::text[]) AS said (value)
    ON CONFLICT (shop_id, digest) DO UPDATE SET forgotten_at = GREATEST(f.forgotten_at, excluded.forgotten_at)
