"""Shops for tests of the Dagster room."""

from uuid import UUID

from neanelu_pipelines.database.connect import Database, Role

SHOP = "casa-verde.myshopify.com"


def add_shop(database: Database, domain: str) -> UUID:
    """A shop without a token, as an administrator would make it."""
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute(
            "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes) "
            "VALUES (%s, '', '', '', '{}') RETURNING id",
            (domain,),
        ).fetchone()
    assert row
    shop_id: UUID = row[0]
    return shop_id
