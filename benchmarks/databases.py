"""Fresh databases to load into: one template with the whole schema and a shop, and a clone of it for every run.

Belongs here: where the contenders work. Does not belong here: what they do there.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from psycopg import conninfo, sql

from benchmarks.contender import Shop
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.migrations import migrate
from neanelu_pipelines.database.statements import statement

DOMAIN = "gradina-bench.myshopify.com"


class Bed:
    """A template on a server, with `shop` in it, and clones of it; see `made_up`."""

    def __init__(self, server: Database, template: str, shop: Shop) -> None:
        self._server = server
        self._template = template
        self._clones = 0
        self.shop = shop

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """A clone of the template, removed afterwards."""
        self._clones += 1
        name = f"{self._template}_{self._clones}"
        _create(self._server, name, self._template)
        try:
            yield renamed(self._server, name)
        finally:
            _drop(self._server, name)


@contextmanager
def made_up(server: Database) -> Iterator[Bed]:
    """A bed on that server: the schema by `migrate`, and one shop; removed afterwards."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    _create(server, name, "template0")
    try:
        template = renamed(server, name)
        migrate(template)
        yield Bed(server, name, Shop(insert_shop(template), DOMAIN))
    finally:
        _drop(server, name)


def insert_shop(database: Database) -> UUID:
    """Make the shop in a database with the schema; its id."""
    with database.connect(Role.ADMIN) as connection:
        row = connection.execute(statement("benchmarks/insert_shop").format(), {"domain": DOMAIN}).fetchone()
    if row is None:
        raise RuntimeError("INSERT … RETURNING returned nothing")
    return UUID(str(row[0]))


def _create(server: Database, name: str, template: str) -> None:
    names = {"database": sql.Identifier(name), "template": sql.Identifier(template)}
    _on_server(server, statement("benchmarks/create_database").format(**names))


def _drop(server: Database, name: str) -> None:
    _on_server(server, statement("benchmarks/drop_database").format(database=sql.Identifier(name)))


def _on_server(server: Database, query: sql.Composed) -> None:
    with server.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(query)


def renamed(server: Database, name: str) -> Database:
    """The database of that name on the same server, for the same logins."""
    return Database({role: conninfo.make_conninfo(url, dbname=name) for role, url in server.urls.items()})


def settle(database: Database) -> None:
    """Write out what earlier work left dirty, so that the next run does not pay for it.

    The server's pages, and the machine's: a catalogue of 1 GB that was made a moment ago costs a load a tenth.
    """
    os.sync()
    with database.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
