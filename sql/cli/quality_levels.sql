-- How many golden records stand at each quality level.
SELECT data_quality_level, count(*)
FROM prod_master
GROUP BY data_quality_level
ORDER BY data_quality_level
