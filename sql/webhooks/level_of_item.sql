-- The GID of an item's level at a location: what ends a level does not name it.
SELECT shopify_gid
  FROM pipeline.inventory_levels
 WHERE shop_id = %(shop_id)s
   AND inventory_item_gid = %(inventory_item_gid)s
   AND location_gid = %(location_gid)s
