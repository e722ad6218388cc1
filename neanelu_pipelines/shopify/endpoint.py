"""Where the Admin API is, and where a token may be sent at all.

Belongs here: from the setting's template to an address. Does not belong here: requests (`client`).
"""

import ipaddress
from urllib.parse import urlsplit

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.access import ShopAccess


class EndpointError(NeaneluError):
    """An address that the token may not be sent to."""


def endpoint_of(template: str, access: ShopAccess) -> str:
    """The address of a shop's API: the template with its {domain} and {version} filled in.

    Raises:
        EndpointError: it is neither https nor http on this machine, or no URL.
    """
    address = template.replace("{domain}", access.domain).replace("{version}", access.api_version)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise EndpointError("NEANELU_SHOPIFY_URL is not a URL.") from None
    if not host or parts.username is not None or parts.password is not None:
        raise EndpointError("NEANELU_SHOPIFY_URL must be a URL with a host and without a login.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(address)):
        raise EndpointError(
            f"The Admin API at {parts.scheme}://{host} is not asked: a token goes over https only, or over http to "
            "this machine (127.0.0.1). Put NEANELU_SHOPIFY_URL right."
        )
    return address


def is_this_machine(address: str) -> bool:
    """Whether the address's host is a loopback one."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
