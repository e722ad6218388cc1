-- What outside services have cost in the last 30 days.
SELECT api_provider, sum(request_count)::bigint AS requests, sum(estimated_cost)::float8 AS cost
FROM api_usage_log
WHERE created_at >= now() - interval '30 days'
GROUP BY api_provider
ORDER BY api_provider
