"""Customers: their fields, and the addresses and metafields that fold into them."""

from typing import Any

from neanelu_pipelines.sandbox.wire import encode_line
from tests.mirror.lines import CHANGED, DOMAIN, LATER, OTHER_DOMAIN, River, fates, gid, metafield, moment, written

ANA = gid("Customer", 1)


def customer(number: int = 1, **fields: Any) -> bytes:
    node = {
        "__typename": "Customer",
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "firstName": "Ana",
        "lastName": "Mureșan",
        "displayName": "Ana Mureșan",
        "defaultEmailAddress": {
            "emailAddress": "Ana@example.com",
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "SINGLE_OPT_IN",
            "marketingUpdatedAt": CHANGED,
        },
        "defaultPhoneNumber": {"phoneNumber": "+40740000001"},
        "state": "ENABLED",
        "locale": "ro",
        "note": None,
        "tags": ["fidel", "VIP"],
        "taxExempt": False,
        "taxExemptions": [],
        "verifiedEmail": True,
        "numberOfOrders": "3",
        "amountSpent": {"amount": "1234.5", "currencyCode": "RON"},
        "createdAt": CHANGED,
        "updatedAt": CHANGED,
        "defaultAddress": {"id": gid("MailingAddress", "7?model_name=CustomerAddress"), "city": "Cluj-Napoca"},
    }
    return encode_line(node | fields)


def address(number: int, of: str = ANA, **fields: Any) -> bytes:
    node = {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", f"{number}?model_name=CustomerAddress"),
        "address1": f"Str. Livezilor nr. {number}",
        "city": "Cluj-Napoca",
        "countryCodeV2": "RO",
        "zip": "400001",
    }
    return encode_line(node | fields, of)


def load(river: River, *lines: bytes, day: int = 5, **options: Any) -> Any:
    return river.load(lines, resource="customers", as_of=moment(day), **options)


def streets(river: River) -> list[str]:
    return [one["address1"].rpartition(" ")[2] for one in river.one("SELECT addresses FROM shopify_customers")]


def test_a_customer_becomes_a_row_with_its_addresses_in_the_order_of_their_numbers(river: River) -> None:
    load(river, customer(), address(10), address(9), metafield(1, ANA))

    assert river.one(
        "SELECT email, phone, first_name, last_name, display_name, state, verified_email, accepts_marketing,"
        " marketing_opt_in_level, orders_count, total_spent::text, currency_code, tags, tax_exempt, tax_exemptions,"
        " locale, note, accepts_marketing_updated_at = updated_at_shopify, default_address ->> 'city', metafields,"
        " average_order_amount FROM shopify_customers"
    ) == (
        "Ana@example.com",
        "+40740000001",
        "Ana",
        "Mureșan",
        "Ana Mureșan",
        "ENABLED",
        True,
        True,
        "SINGLE_OPT_IN",
        3,
        "1234.50",
        "RON",
        ["fidel", "VIP"],
        False,
        [],
        "ro",
        None,
        True,
        "Cluj-Napoca",
        {"custom.material": {"type": "single_line_text_field", "value": "oțel"}},
        None,
    )
    assert streets(river) == ["9", "10"]
    assert river.one("SELECT addresses -> 0 ->> 'id' FROM shopify_customers") == (
        "gid://shopify/MailingAddress/9?model_name=CustomerAddress"
    )


def test_the_same_customers_again_in_any_order_change_nothing(river: River) -> None:
    lines = [customer(), address(1), address(2), customer(2), metafield(1, ANA)]
    load(river, *lines)
    before, audited = river.versions(), river.audit_rows()

    assert written(load(river, *reversed(lines), day=6)) == {}
    assert (river.versions(), river.audit_rows()) == (before, audited)


def test_what_is_gone_in_shopify_goes_here(river: River) -> None:
    load(river, customer(), address(1), address(2), metafield(1, ANA))

    load(river, customer(defaultEmailAddress=None, firstName=None, updatedAt=LATER), address(2), day=6)

    assert river.one(
        "SELECT email, first_name, accepts_marketing, marketing_opt_in_level, metafields FROM shopify_customers"
    ) == (None, None, False, None, {})
    assert streets(river) == ["2"]
    load(river, customer(updatedAt=LATER), day=7)
    assert river.one("SELECT addresses FROM shopify_customers") == []


def test_a_damaged_file_removes_no_address(river: River) -> None:
    load(river, customer(), address(1), address(2))

    load(river, customer(updatedAt=LATER), address(2, city="Turda"), address(3), b"{\n", day=6)

    assert streets(river) == ["1", "2", "3"]
    assert river.one("SELECT addresses -> 1 ->> 'city' FROM shopify_customers") == "Turda"
    load(river, customer(updatedAt=LATER), address(2), address(3), day=7)
    assert streets(river) == ["2", "3"], "the row did not say what the file said, so it was looked at again"


def test_an_older_export_overwrites_nothing(river: River) -> None:
    load(river, customer(updatedAt=LATER), address(1), day=6)
    before = river.versions()

    report = load(river, customer(note="veche"), address(2), day=7)

    assert fates(report) == {"Customer": (0, 0, 0, 1), "MailingAddress": (0, 0, 0, 1)}
    assert river.versions() == before


def test_bad_lines_are_rejected_each_with_its_reason(river: River) -> None:
    report = load(
        river,
        customer(1),
        customer(2, state="ASLEEP"),
        customer(3, amountSpent={"amount": "mult", "currencyCode": "RON"}),
        customer(4, numberOfOrders="99999999999"),
        customer(5, firstName="Ș" * 101),
        address(1, gid("Customer", 99)),
        customer(1, note="altfel"),
        encode_line({"__typename": "MailingAddress", "id": gid("MailingAddress", 5)}),
    )

    assert river.errors(report.run_id) == [
        (1, "conflicting_duplicate"),
        (2, "not_in_enum"),
        (3, "not_a_number"),
        (4, "out_of_range"),
        (5, "too_long"),
        (6, "orphan"),
        (8, "orphan"),
    ]


def test_a_query_without_addresses_and_consent_leaves_them_alone(river: River) -> None:
    load(river, customer(), address(1), metafield(1, ANA))
    short = {"__typename": "Customer", "id": ANA, "state": "INVITED", "updatedAt": LATER}

    load(river, encode_line(short), encode_line({**short, "id": gid("Customer", 2)}), day=6)

    assert river.query(
        "SELECT state, accepts_marketing, email, jsonb_array_length(addresses) FROM shopify_customers"
        " ORDER BY legacy_resource_id"
    ) == [("INVITED", True, "Ana@example.com", 1), ("INVITED", False, None, 0)]


def test_shops_do_not_see_each_others_customers(river: River) -> None:
    load(river, customer(), address(1))
    load(river, customer(note="alt magazin"), domain=OTHER_DOMAIN)

    with river.database.tenant(river.shops[DOMAIN]) as connection:
        assert connection.execute("SELECT note FROM shopify_customers").fetchall() == [(None,)]
