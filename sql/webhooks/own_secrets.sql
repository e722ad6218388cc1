-- The shops whose webhooks are signed with a secret of their own, by each name that they may bear.
SELECT s.id, n.domain::text, s.webhook_secret
  FROM shops s
 CROSS JOIN LATERAL (SELECT s.shopify_domain AS domain
                      UNION ALL
                     SELECT f.domain FROM pipeline.former_domains f WHERE f.shop_id = s.id) AS n
 WHERE s.webhook_secret IS NOT NULL
