-- The items of the menus in this load, as rows: what moved is moved, what no menu of this load holds any more is gone.
-- Ids are given before anything is written, because an item must name the one that it stands under.
WITH told AS MATERIALIZED (
  SELECT m.id AS menu_id, s.items
    FROM pipeline.staging_menus s
    JOIN shopify_menus m ON m.shop_id = %(shop_id)s AND m.shopify_gid = s.shopify_gid
   WHERE s.bulk_run_id = %(run_id)s
     AND s.validation_status = 'valid'
     AND {share}
), placed AS MATERIALIZED (
  SELECT COALESCE(m.id, uuidv7()) AS id, told.menu_id, i.*
    FROM told
   CROSS JOIN LATERAL pipeline.menu_items(told.items) AS i
    LEFT JOIN shopify_menu_items m ON m.shop_id = %(shop_id)s AND m.shopify_gid = i.gid
), merged AS (
  INSERT INTO shopify_menu_items AS m
         (id, shop_id, menu_id, shopify_gid, parent_item_id, title, url, item_type, resource_id, position, level, path)
  SELECT p.id, %(shop_id)s, p.menu_id, p.gid, parent.id, p.item ->> 'title', p.item ->> 'url', p.item ->> 'type',
         p.item ->> 'resourceId', p.place, p.depth, p.titles
    FROM placed p
    LEFT JOIN placed parent ON parent.gid = p.parent_gid
  ON CONFLICT (shop_id, shopify_gid) DO UPDATE
     SET menu_id = excluded.menu_id,
         parent_item_id = excluded.parent_item_id,
         title = excluded.title,
         url = excluded.url,
         item_type = excluded.item_type,
         resource_id = excluded.resource_id,
         position = excluded.position,
         level = excluded.level,
         path = excluded.path,
         updated_at = now()
   WHERE (m.menu_id, m.parent_item_id, m.title, m.url, m.item_type, m.resource_id, m.position, m.level, m.path)
         IS DISTINCT FROM
         (excluded.menu_id, excluded.parent_item_id, excluded.title, excluded.url, excluded.item_type,
          excluded.resource_id, excluded.position, excluded.level, excluded.path)
  RETURNING old.shop_id IS NULL AS inserted
), gone AS (
  DELETE FROM shopify_menu_items m
   USING told
   WHERE m.menu_id = told.menu_id
     AND NOT EXISTS (SELECT FROM placed p WHERE p.gid = m.shopify_gid)
  RETURNING 1
), counted AS (
  UPDATE shopify_menus m
     SET items_count = (SELECT count(*) FROM placed p WHERE p.menu_id = m.id), updated_at = now()
    FROM told
   WHERE m.id = told.menu_id
     AND m.items_count IS DISTINCT FROM (SELECT count(*) FROM placed p WHERE p.menu_id = m.id)
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM placed),
       (SELECT count(*) FROM gone)
  FROM merged
