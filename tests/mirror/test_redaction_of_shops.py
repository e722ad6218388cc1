"""A shop is forgotten everywhere, provably, and what was read of it does not bring it back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neanelu_pipelines.mirror.forgotten import ForgottenShopError
from neanelu_pipelines.mirror.redaction import RedactionRefusedError, redact_shop
from tests.mirror.lines import River, moment, product
from tests.mirror.people import everything, files, spread


@pytest.fixture
def leaving(swept: River) -> River:
    """A third shop, full of everything, that asked to be forgotten; another shop has a product."""
    swept.load([product(1)], as_of=moment(2))
    row = swept.query(
        "INSERT INTO shops (shopify_domain, shopify_shop_id, access_token_ciphertext, access_token_iv,"
        " access_token_tag, scopes, installed_at) VALUES ('pleaca.myshopify.com', 778899001122, '', '', '', '{}',"
        " now() - interval '9 days') RETURNING id"
    )
    swept.shops["pleaca.myshopify.com"] = row[0][0]
    spread(swept, "pleaca.myshopify.com")
    swept.do("INSERT INTO feature_flags (flag_key, allowed_shop_ids) VALUES ('pleaca', ARRAY[%s]::uuid[])", row[0][0])
    swept.do(
        "INSERT INTO oauth_states (state, shop_domain, redirect_uri, nonce, expires_at)"
        " VALUES ('s', 'pleaca.myshopify.com', 'https://pleaca.myshopify.com/x', 'n', now())"
    )
    return swept


def forget(river: River, key: str = "plecare", asked_at: datetime | None = None) -> Any:
    return redact_shop(
        river.database,
        river.settings,
        shop_domain="pleaca.myshopify.com",
        request_key=key,
        asked_at=asked_at or datetime.now(UTC),
    )


def test_nothing_of_the_shop_is_left_and_the_others_stay(leaving: River, monkeypatch: pytest.MonkeyPatch) -> None:
    from neanelu_pipelines.mirror.redaction import shops

    shop = leaving.shops["pleaca.myshopify.com"]
    with pytest.raises(RedactionRefusedError, match="is installed here"):
        forget(leaving, asked_at=datetime.now(UTC) - timedelta(days=10))
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", shop) == 1

    leaving.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status)"
        " VALUES ('alta', 'customer', %s, '{\"email\": \"ana.popescu@example.ro\"}', '', 'residue')",
        shop,
    )

    with monkeypatch.context() as patch:
        patch.setattr(shops, "_refresh_views", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(leaving)
    assert leaving.one("SELECT status FROM pipeline.redactions WHERE kind = 'shop'") == "running", "killed in between"
    done = forget(leaving)

    assert (done.status, done.proof["found"]) == ("completed", {})
    text = "\n".join(everything(leaving, shop).values())
    assert not [mark for mark in (str(shop), "pleaca.myshopify.com", "778899001122") if mark in text]
    assert files(leaving, "pleaca.myshopify.com") == []
    assert leaving.one("SELECT count(*) FROM shops WHERE id = %s", shop) == 0
    assert leaving.one("SELECT count(*) FROM shopify_products") == 1
    assert files(leaving) != []
    assert leaving.query("SELECT action, shop_id FROM audit_logs WHERE action = 'REDACT'") == [("REDACT", None)]
    of_all = "SELECT of_shop, subject, status FROM pipeline.redactions"
    assert leaving.query(of_all) == [(None, None, "completed")] * 2
    assert forget(leaving).again

    leaving.do(
        "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
        " VALUES ('pleaca.myshopify.com', '', '', '', '{}')"
    )
    for as_of in (moment(2), None):
        with pytest.raises(ForgottenShopError, match="was forgotten"):
            leaving.load([product(1)], domain="pleaca.myshopify.com", as_of=as_of)
    assert files(leaving, "pleaca.myshopify.com") == []
    leaving.load([product(1)], domain="pleaca.myshopify.com", as_of=datetime.now(UTC) + timedelta(minutes=1))
