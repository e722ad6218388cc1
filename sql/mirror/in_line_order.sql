-- Read beside the artifact, block by block, so both stand in the order of the lines.
SELECT line_number, entity FROM ({parts}) AS changed ORDER BY line_number
