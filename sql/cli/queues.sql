-- What waits and what has stopped, in the queues that the database keeps.
SELECT queue, status, count(*)
FROM (
    SELECT 'scraper_queue' AS queue, status FROM scraper_queue
    UNION ALL
    SELECT 'ai_batches', status FROM ai_batches
    UNION ALL
    SELECT 'embedding_batches', status FROM embedding_batches
) AS queued
GROUP BY queue, status
ORDER BY queue, status
