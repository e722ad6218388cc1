"""The database as Dagster's steps, sensors and checks get it.

Belongs here: the resource that opens it once per process, from the settings. Does not belong here: what is said to it.
"""

from functools import cached_property

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.settings import Settings, settings


class Warehouse:
    """The database and the settings of this process; opened at first use, never while the location loads."""

    def __init__(self, database: Database | None = None, settings: Settings | None = None) -> None:
        """Use what is given; what is not comes from the environment."""
        self._database = database
        self._settings = settings

    @cached_property
    def settings(self) -> Settings:
        """The settings that the steps obey."""
        return self._settings or settings()

    @cached_property
    def database(self) -> Database:
        """The database, started or adopted if it is the embedded one."""
        if self._database is not None:
            return self._database
        from neanelu_pipelines.database.server import open_database

        return open_database(self.settings)
