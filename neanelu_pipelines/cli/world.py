"""The installation that a command works on: settings, database, Dagster's home.

Belongs here: opening them, once per command, and the words of refusal when the schema is not there. Does not belong
here: importing Dagster (`orchestra`).
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from neanelu_pipelines.database.account import owner_of, write_whole
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.migrations import pending
from neanelu_pipelines.database.server import dagster_storage_url, open_database
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.settings import Settings, settings

STORAGE_VARIABLE = "NEANELU_DAGSTER_STORAGE_URL"
"""The variable that dagster.yaml reads its storage's URL from."""


class SchemaMissingError(NeaneluError):
    """The database does not have the schema of this version."""


class NoInstallationError(NeaneluError):
    """There is nothing where the installation should be."""


@dataclass(frozen=True)
class World:
    """What a command works on."""

    settings: Settings

    @cached_property
    def database(self) -> Database:
        """The database; the embedded server is started or adopted at first use."""
        return open_database(self.settings)

    @property
    def embedded(self) -> EmbeddedServer | None:
        """The home's embedded server, or None if NEANELU_DATABASE_URL names another one."""
        if self.settings.database_url is not None:
            return None
        return EmbeddedServer(self.settings.home, self.settings.database_port)

    @property
    def home(self) -> Path:
        """NEANELU_HOME, absolute."""
        return self.settings.home.absolute()

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: Dagster's configuration, logs of steps and the services' own logs."""
        return self.home / "dagster"

    def require_home(self) -> None:
        """Refuse to look at an installation that is not there: looking at the database would make one.

        Raises:
            NoInstallationError: the home does not exist, and no other database is named.
        """
        if self.embedded is not None and not self.home.exists():
            raise NoInstallationError(
                f"There is no installation in {self.home}. Say where it is with NEANELU_HOME (or which database it "
                "has, with NEANELU_DATABASE_URL); `neanelu migrate` makes a new one here."
            )

    def require_schema(self) -> None:
        """Refuse to go on with a database that lacks migrations.

        Raises:
            NoInstallationError: there is no database at all.
            SchemaMissingError: some are pending; the message says how many and what to run.
        """
        self.require_home()
        missing = pending(self.database)
        if missing:
            where = "The database" if self.embedded is None else f"The database of {self.home}"
            raise SchemaMissingError(
                f"{where} lacks {len(missing)} of this version's migrations: run `neanelu migrate` first."
            )

    def dagster_environment(self) -> dict[str, str]:
        """The environment that Dagster's processes need, besides our own. Holds a password: never print it."""
        self.prepare_dagster_home()
        return {
            "DAGSTER_HOME": str(self.dagster_home),
            "NEANELU_HOME": str(self.home),
            STORAGE_VARIABLE: dagster_storage_url(self.settings),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }

    def prepare_dagster_home(self) -> None:
        """Make DAGSTER_HOME and put this version's dagster.yaml in it, whole: other commands may be reading it."""
        self.dagster_home.mkdir(parents=True, exist_ok=True)
        path, text = self.dagster_home / "dagster.yaml", dagster_yaml().read_text(encoding="utf-8")
        if not path.is_file() or path.read_bytes() != text.encode():
            write_whole(path, text, owner=owner_of(self.dagster_home), mode=0o644)


def open_world() -> World:
    """The installation of this process's environment."""
    return World(settings())


def dagster_yaml() -> Path:
    """The packaged dagster.yaml: inside an installed wheel, at the root of a checkout."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "resources" / "dagster.yaml"
    return packaged if packaged.is_file() else package.parent / "dagster.yaml"


def use_environment(variables: dict[str, str]) -> None:
    """Give this process the variables: Dagster reads its home and its storage from the environment."""
    os.environ.update(variables)
