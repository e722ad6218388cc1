"""A location's webhook body as the line that the locations bulk query gives of the same location.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values.
"""

from neanelu_pipelines.shopify.webhooks.bodies import Body, Reading, identity, reading, renamed

_FIELDS = {"name": "name", "active": "isActive", "created_at": "createdAt", "updated_at": "updatedAt"}
_ADDRESS = {
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "province_code": "provinceCode",
    # `country` holds the code as well.
    "country_name": "country",
    "country_code": "countryCode",
    "zip": "zip",
    "phone": "phone",
}


def _read(body: Body) -> Reading:
    node = identity("Location", body) | renamed(body, _FIELDS)
    if all(name in body for name in _ADDRESS):
        # One column holds the whole address: a part of it would clear the rest.
        node["address"] = renamed(body, _ADDRESS)
    return Reading([node])


read_location = reading("a location", _read)
"""A body of locations/create, locations/update, locations/activate and locations/deactivate."""
