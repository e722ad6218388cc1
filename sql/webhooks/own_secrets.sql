-- The shops whose webhooks are signed with a secret of their own.
SELECT id, shopify_domain::text, webhook_secret FROM shops WHERE webhook_secret IS NOT NULL
