-- Other requests of the shop, whatever became of them: nothing is left that they could be about.
UPDATE pipeline.redactions
   SET subject = NULL,
       of_shop = NULL
 WHERE of_shop = %(shop_id)s
   AND id <> %(id)s
