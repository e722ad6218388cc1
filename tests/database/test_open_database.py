"""From settings to a database: an external server is used, or refused in words that say what to do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from pydantic import SecretStr

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.server import (
    UnreachableServerError,
    UnusableLoginError,
    UnusableServerError,
    dagster_storage_url,
    open_database,
    refuse_unusable,
    sqlalchemy_url,
)
from neanelu_pipelines.settings import Settings
from tests.conftest import MakeHome


def external(url: str, **more: Any) -> Settings:
    return Settings(database_url=SecretStr(url), **more)


@contextmanager
def member(server: EmbeddedServer, groups: str) -> Iterator[str]:
    """The connection string of a login that is a member of `groups`."""
    admin = server.database().urls[Role.ADMIN]
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE ana LOGIN PASSWORD 'parola-anei' IN ROLE {groups}")
        try:
            yield conninfo.make_conninfo(admin, user="ana", password="parola-anei")
        finally:
            connection.execute("DROP ROLE ana")


def test_an_external_server_is_used_through_one_login(server: EmbeddedServer) -> None:
    database = open_database(external(server.database().urls[Role.ADMIN]))
    with database.connect(Role.ADMIN) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("postgres", "neanelu")
    with database.connect(Role.TENANT) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("neanelu_tenant",)


def test_roles_with_logins_of_their_own_cannot_become_more(server: EmbeddedServer) -> None:
    urls = server.database().urls
    own = {f"{role}_database_url": SecretStr(urls[role]) for role in (Role.PIPELINE, Role.TENANT)}
    database = open_database(external(urls[Role.ADMIN], **own))
    for role in (Role.PIPELINE, Role.TENANT):
        with database.connect(role) as connection:
            connection.execute("SET ROLE NONE")
            assert connection.execute("SELECT session_user, current_user").fetchone() == (f"neanelu_{role}",) * 2


def test_a_member_of_a_role_starts_as_that_role(server: EmbeddedServer) -> None:
    """BYPASSRLS is not inherited: a member has to become the pipeline to have it."""
    with member(server, "neanelu_pipeline") as url:
        settings = external(server.database().urls[Role.ADMIN], pipeline_database_url=SecretStr(url))
        with open_database(settings).connect(Role.PIPELINE) as connection:
            assert connection.execute("SELECT session_user, current_user").fetchone() == ("ana", "neanelu_pipeline")


@pytest.mark.parametrize(
    ("role", "groups", "words"),
    [
        ("tenant", "neanelu_dagster", "login ana of NEANELU_TENANT_DATABASE_URL is neither neanelu_tenant nor a mem"),
        ("tenant", "neanelu_tenant, neanelu_pipeline", "would not be held to neanelu_tenant"),
        ("tenant", "neanelu_tenant, neanelu_owner", "would not be held to neanelu_tenant"),
        ("tenant", "neanelu_tenant, postgres", "would not be held to neanelu_tenant"),
        ("pipeline", "neanelu_tenant", "NEANELU_PIPELINE_DATABASE_URL is neither neanelu_pipeline nor"),
        ("pipeline", "neanelu_pipeline, postgres", "would not be held to neanelu_pipeline"),
    ],
)
def test_a_login_that_is_not_for_its_role_is_refused(
    server: EmbeddedServer, role: str, groups: str, words: str
) -> None:
    with member(server, groups) as url:
        settings = external(server.database().urls[Role.ADMIN], **{f"{role}_database_url": SecretStr(url)})
        with pytest.raises(UnusableLoginError, match=words) as raised:
            open_database(settings)
    assert "parola-anei" not in str(raised.value)


def test_the_admins_login_is_no_tenants(server: EmbeddedServer) -> None:
    admin = server.database().urls[Role.ADMIN]
    with pytest.raises(UnusableLoginError, match="login postgres of NEANELU_TENANT_DATABASE_URL is or may become"):
        open_database(external(admin, tenant_database_url=SecretStr(admin)))


def test_a_server_without_an_extension_is_refused_saying_what_to_install(make_home: MakeHome) -> None:
    server = EmbeddedServer(make_home(begun=True))
    without_vector = server.start().urls[Role.ADMIN]
    for path in server.status().folder.glob("postgresql-*/share/extension/vector.control"):
        path.unlink()
    with pytest.raises(UnusableServerError, match=r"lacks the extension vector: install pgvector \(postgresql-18-pg"):
        open_database(external(without_vector))


def test_an_older_server_is_refused_saying_what_to_install() -> None:
    with pytest.raises(UnusableServerError, match=r"^The server at db:5432 is PostgreSQL 17\.6: install PostgreSQL 18"):
        refuse_unusable("db:5432", 170006, "17.6", ["vector"])
    refuse_unusable("db:5432", 180000, "18.0", [])
    refuse_unusable("db:5432", 190000, "19.0", [])


def test_missing_contrib_modules_are_named_beside_pgvector() -> None:
    with pytest.raises(UnusableServerError, match=r"extensions citext and vector: install pgvector .* and .*contrib"):
        refuse_unusable("db:5432", 180001, "18.1", ["citext", "vector"])


def test_a_refused_login_says_what_to_check_without_the_password(server: EmbeddedServer) -> None:
    url = server.database().urls[Role.ADMIN]
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    wrong = url.replace(str(password), "parola-gresita")
    with pytest.raises(UnreachableServerError, match=r"password authentication failed.*NEANELU_DATABASE_URL") as raised:
        open_database(external(wrong))
    assert "parola-gresita" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_nobody_listening_says_where_it_was_looked_for() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(UnreachableServerError, match=rf"127\.0\.0\.1:{port} cannot be used: .*refused") as raised:
            open_database(external(f"postgresql://ana:secret-de-tot@127.0.0.1:{port}/neanelu"))
    assert "secret-de-tot" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgresql://ana:sec%ret@h/db", "ana:secret@h", "postgresql://ana:secret@h:1?x=y"])
def test_what_is_no_connection_string_is_said_without_quoting_it(url: str) -> None:
    with pytest.raises(UnusableServerError, match="postgresql://user:password@host") as raised:
        open_database(external(url))
    assert "ret@" not in str(raised.value)


def test_dagsters_database_is_made_beside_the_applications(server: EmbeddedServer) -> None:
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("DROP DATABASE dagster WITH (FORCE)")
    settings = external(server.database().urls[Role.ADMIN])
    url = dagster_storage_url(settings)
    assert dagster_storage_url(settings) == url
    assert url.startswith("postgresql+psycopg2://postgres:")
    with psycopg.connect(url.replace("+psycopg2", "")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("dagster",)
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("ALTER DATABASE dagster OWNER TO neanelu_dagster")


def test_a_login_that_may_not_make_dagsters_database_says_what_to_do(server: EmbeddedServer) -> None:
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("DROP DATABASE dagster WITH (FORCE)")
    with pytest.raises(UnusableServerError, match=r"CREATE DATABASE dagster.*NEANELU_DAGSTER_DATABASE_URL"):
        dagster_storage_url(external(server.database().urls[Role.PIPELINE]))
    server.start()


def test_dagsters_database_may_be_somewhere_else(server: EmbeddedServer) -> None:
    elsewhere = SecretStr(server.database("postgres").urls[Role.ADMIN])
    settings = external("postgresql://nobody@127.0.0.1:1/x", dagster_database_url=elsewhere)
    assert dagster_storage_url(settings).endswith("/postgres")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://ana:p%40s@h:5433/d?sslmode=require", "postgresql+psycopg2://ana:p%40s@h:5433/d?sslmode=require"),
        ("host=/run/pg user=ana dbname=d", "postgresql+psycopg2://ana@/d?host=%2Frun%2Fpg"),
        ("postgres://ana@[::1]/d", "postgresql+psycopg2://ana@[::1]/d"),
    ],
)
def test_the_url_names_psycopg2_and_keeps_the_rest(given: str, expected: str) -> None:
    assert sqlalchemy_url(given) == expected
