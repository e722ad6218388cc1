-- How many events are not done: to be processed now, to be tried again later, for another step, and set aside. Each is
-- counted in an index of its own.
SELECT n.now, n.later, w.events, a.events
  FROM (SELECT count(*) FILTER (WHERE not_before IS NULL OR not_before <= clock_timestamp()) AS now,
               count(*) FILTER (WHERE not_before > clock_timestamp()) AS later
          FROM pipeline.webhook_keys
         WHERE state = 'new') AS n,
       (SELECT count(*) AS events FROM pipeline.webhook_keys WHERE state = 'waiting') AS w,
       (SELECT count(*) AS events FROM pipeline.webhook_keys WHERE state = 'aside') AS a
