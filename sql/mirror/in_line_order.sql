-- Read beside the artifact, block by block, so both stand in the order of the lines. Unnested here and not in the parts,
-- which then may run side by side.
SELECT unnest(lines) AS line_number, entity FROM ({parts}) AS changed ORDER BY line_number
