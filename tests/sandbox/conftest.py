"""One sandbox for the tests that leave it as it is, and one of their own for those that do not."""

from collections.abc import Iterator

import pytest

from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from tests.sandbox.admin_client import AdminClient

DOMAIN = "gradina.myshopify.com"
OTHER = "unelte.myshopify.com"


def made() -> Sandbox:
    first = GeneratedShop(DOMAIN, seed=3, products=60, orders=80, customers=40)
    return Sandbox([first, GeneratedShop(OTHER, seed=4, products=5)])


@pytest.fixture(scope="module")
def standing() -> Iterator[AdminClient]:
    with made() as sandbox:
        yield AdminClient(sandbox, DOMAIN)


@pytest.fixture
def admin() -> Iterator[AdminClient]:
    with made() as sandbox:
        yield AdminClient(sandbox, DOMAIN)
