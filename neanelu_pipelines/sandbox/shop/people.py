"""Names, towns and addresses of made-up Romanian customers.

Belongs here: words as data, and addresses put together from them. Does not belong here: customers and orders.
"""

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.pools import Dice
from neanelu_pipelines.sandbox.shop.overlay import Node

FIRST_NAMES = (
    "Andrei", "Ioana", "Ștefan", "Maria", "Gheorghe", "Elena", "Mihai", "Ana", "Vasile", "Cristina", "Ion", "Mădălina",
    "Radu", "Gabriela", "Florin", "Simona", "Nicolae", "Raluca", "Călin", "Țuca", "Ileana", "Dorin", "Sânziana",
)  # fmt: skip
LAST_NAMES = (
    "Popescu", "Ionescu", "Mureșan", "Rusu", "Constantinescu", "Stoica", "Dumitru", "Moldovan", "Crișan", "Țepeș",
    "Bălan", "Ungureanu", "Lăzărescu", "Pătrașcu", "Vâlcu", "Nagy", "Schmidt", "O'Connor", "Gheorghiu", "Tănase",
)  # fmt: skip
_TOWNS = (
    ("Cluj-Napoca", "CJ", "4006"), ("București", "B", "0101"), ("Iași", "IS", "7000"), ("Timișoara", "TM", "3000"),
    ("Brașov", "BV", "5000"), ("Constanța", "CT", "9000"), ("Sibiu", "SB", "5500"), ("Oradea", "BH", "4100"),
    ("Târgu Mureș", "MS", "5400"), ("Bacău", "BC", "6000"), ("Râmnicu Vâlcea", "VL", "2400"),
    ("Alba Iulia", "AB", "5100"),
)  # fmt: skip
_STREETS = (
    "Str. Livezilor", "Str. Mihai Eminescu", "Bd. Unirii", "Calea Turzii", "Str. Gării", "Aleea Teilor", "Str. Școlii",
    "Str. 1 Decembrie 1918", "Șos. Națională", "Str. Păcii & Libertății",
)  # fmt: skip


def address(dice: Dice, number: int, first_name: str, last_name: str, *, of_customer: bool) -> Node:
    """A `MailingAddress`; addresses of orders have no number of their own."""
    town, county, zip_code = dice.pick(_TOWNS)
    model = "CustomerAddress" if of_customer else "Address"
    return {
        "__typename": "MailingAddress",
        "id": f"{ids.gid('MailingAddress', number)}?model_name={model}",
        "name": f"{first_name} {last_name}",
        "firstName": first_name,
        "lastName": last_name,
        "company": "Grădini & Terase SRL" if dice.chance(0.05) else None,
        "address1": f"{dice.pick(_STREETS)} nr. {1 + dice.below(180)}",
        "address2": f"ap. {1 + dice.below(60)}" if dice.chance(0.3) else None,
        "city": town,
        "province": None,
        "provinceCode": county,
        "country": "Romania",
        "countryCodeV2": "RO" if dice.chance(0.97) else "MD",
        "zip": f"{zip_code}{dice.below(100):02d}",
        "phone": None,
    }
