"""Which server is used: the one of `NEANELU_DATABASE_URL`, or the home's embedded one.

Belongs here: from settings to a `Database`, and to the URL of Dagster's own storage; whether a server will do. Does not
belong here: running a server (`embedded`), the schema (`migrations`).
"""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from neanelu_pipelines.database.connect import Database, Role, group_role
from neanelu_pipelines.database.embedded import DAGSTER_DATABASE, EmbeddedServer, create_database
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings

EXTENSIONS = ("citext", "pgcrypto", "pg_trgm", "btree_gin", "btree_gist", "vector")
OLDEST = 18

_SETTING = "NEANELU_DATABASE_URL"
_DAGSTER_SETTING = "NEANELU_DAGSTER_DATABASE_URL"


class UnusableServerError(NeaneluError):
    """The server of `NEANELU_DATABASE_URL` is too old, lacks something, or a setting is no connection string."""


class UnusableLoginError(NeaneluError):
    """A role's own login cannot be that role, or can be more than it."""


class UnreachableServerError(NeaneluError):
    """Nobody answers there, or the login is refused."""

    transient = True


def open_database(settings: Settings) -> Database:
    """The application's database, on a server that answers and will do; the embedded one is started if need be.

    Raises:
        UnreachableServerError: it does not answer, or refuses the login.
        UnusableServerError: it is too old or lacks an extension.
        UnusableLoginError: a role's own login is not for that role.
        EmbeddedServerError: the embedded server cannot be started.
    """
    if settings.database_url is None:
        return EmbeddedServer(settings.home, settings.database_port).start()
    url = settings.database_url.get_secret_value()
    with _connect(url, _SETTING) as connection:
        facts = connection.execute(statement("database/server_facts"), {"extensions": list(EXTENSIONS)}).fetchone()
        if facts:
            refuse_unusable(_place(url), *facts)
    own = own_logins(settings)
    for role, login in own.items():
        _refuse_unfit(role, login)
    return Database.from_login(url, own)


def own_logins(settings: Settings) -> dict[Role, str]:
    """The connection strings of roles that have a login of their own on the external server. They hold passwords."""
    given = {Role.PIPELINE: settings.pipeline_database_url, Role.TENANT: settings.tenant_database_url}
    return {role: secret.get_secret_value() for role, secret in given.items() if secret is not None}


def login_setting(role: Role) -> str:
    """The name of the setting with the role's own login."""
    return f"NEANELU_{role.upper()}_DATABASE_URL"


def dagster_storage_url(settings: Settings) -> str:
    """SQLAlchemy's URL of the database for Dagster's own storage, which is there when this returns.

    `NEANELU_DAGSTER_DATABASE_URL`; without it the database `dagster` beside the application's, made if missing.

    Raises:
        UnreachableServerError: it does not answer, refuses the login, or does not let us make the database.
        EmbeddedServerError: the embedded server cannot be started.
    """
    if settings.dagster_database_url is not None:
        url = settings.dagster_database_url.get_secret_value()
        with _connect(url, _DAGSTER_SETTING):
            return sqlalchemy_url(url)
    if settings.database_url is None:
        server = EmbeddedServer(settings.home, settings.database_port)
        server.start()
        return server.dagster_url
    url = settings.database_url.get_secret_value()
    with _connect(url, _SETTING) as connection:
        try:
            create_database(connection, DAGSTER_DATABASE, connection.info.user)
        except psycopg.errors.InsufficientPrivilege:
            raise UnusableServerError(
                f"The login of {_SETTING} may not make the database {DAGSTER_DATABASE} for Dagster's own storage at "
                f"{_place(url)}: make it there (CREATE DATABASE {DAGSTER_DATABASE}), or set {_DAGSTER_SETTING}."
            ) from None
    return sqlalchemy_url(conninfo.make_conninfo(url, dbname=DAGSTER_DATABASE))


def refuse_unusable(place: str, version_number: int, version: str, missing: Sequence[str]) -> None:
    """Say in one sentence what has to be installed, if anything has.

    Raises:
        UnusableServerError: the server is older than 18 or cannot have one of the extensions.
    """
    if version_number < OLDEST * 10_000:
        raise UnusableServerError(
            f"The server at {place} is PostgreSQL {version}: install PostgreSQL {OLDEST} or newer there, or unset "
            f"{_SETTING} to use the embedded one."
        )
    if missing:
        packages = ["pgvector (postgresql-18-pgvector)"] if "vector" in missing else []
        if set(missing) - {"vector"}:
            packages.append("PostgreSQL's contrib modules (postgresql-contrib)")
        raise UnusableServerError(
            f"The server at {place} lacks {_listed(missing)}: install {' and '.join(packages)} there, or unset "
            f"{_SETTING} to use the embedded one."
        )


def _refuse_unfit(role: Role, url: str) -> None:
    setting, name = login_setting(role), group_role(role)
    with _connect(url, setting) as connection:
        facts = connection.execute(
            statement("database/login_facts"), {"role": name, "bound": role is Role.TENANT}
        ).fetchone()
    login, may_be_it, may_be_more = facts or ("nobody", False, False)
    if not may_be_it:
        raise UnusableLoginError(
            f"The login {login} of {setting} is neither {name} nor a member of it: GRANT {name} TO it, or set "
            f"{setting} to another (the roles are there after `neanelu migrate` without the setting)."
        )
    if may_be_more:
        powers = "a superuser, BYPASSRLS or neanelu_owner" if role is Role.TENANT else "a superuser"
        raise UnusableLoginError(
            f"The login {login} of {setting} is or may become {powers}, so it would not be held to {name}: set it to "
            f"a login that is only {name} or a member of it."
        )


def sqlalchemy_url(url: str) -> str:
    """A libpq connection string as SQLAlchemy's URL, with the driver that dagster-postgres needs named in it."""
    parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items() if value is not None}
    login = quote(parts.pop("user", ""), safe="")
    if "password" in parts:
        login += ":" + quote(parts.pop("password"), safe="")
    database = quote(parts.pop("dbname", ""), safe="")
    place = ""
    # A socket's folder cannot stand where a host stands.
    if not parts.get("host", "/").startswith("/"):
        host = parts.pop("host")
        place = f"[{host}]" if ":" in host else host
        if "port" in parts:
            place += ":" + parts.pop("port")
    query = f"?{urlencode(parts)}" if parts else ""
    return f"postgresql+psycopg2://{login}{'@' if login else ''}{place}/{database}{query}"


def _connect(url: str, setting: str) -> psycopg.Connection:
    """A connection in autocommit mode; its failures in our words, which never hold the password."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # What libpq says of it quotes the string.
        raise UnusableServerError(
            f"{setting} is not a connection string: write it as postgresql://user:password@host:5432/database, with "
            "special characters of the password percent-encoded."
        ) from None
    timeout = parts.get("connect_timeout") or 10
    try:
        return psycopg.connect(url, connect_timeout=int(timeout), autocommit=True, application_name="neanelu check")
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        if parts.get("password"):
            reason = reason.replace(str(parts["password"]), "…")
    raise UnreachableServerError(
        f"The server at {_place(url)} cannot be used: {reason}. Check that it runs and listens there, and the host, "
        f"port, user, password and database in {setting}."
    )


def _place(url: str) -> str:
    parts = conninfo.conninfo_to_dict(url)
    return f"{parts.get('host') or 'the local socket'}:{parts.get('port') or 5432}"


def _listed(names: Sequence[str]) -> str:
    kind = "the extension" if len(names) == 1 else "the extensions"
    return f"{kind} {', '.join(names[:-1])}{' and ' if len(names) > 1 else ''}{names[-1]}"
