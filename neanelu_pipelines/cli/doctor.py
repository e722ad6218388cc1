"""`neanelu doctor`: what is wrong with this installation, and what to do about it.

Belongs here: the findings and their remedies. Does not belong here: repairing; a doctor changes nothing, but that the
embedded server is started so that it can be asked.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

import psycopg
import typer

from neanelu_pipelines.cli.output import JsonOption, Output, bytes_text
from neanelu_pipelines.cli.services import whereabouts
from neanelu_pipelines.cli.troubles import troubles
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.migrations import pending
from neanelu_pipelines.database.partitions import default_partition_rows
from neanelu_pipelines.database.server import EXTENSIONS, dagster_storage_url, refuse_unusable
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.vault import Keyring, SealedToken
from neanelu_pipelines.shopify.webhooks.own_secrets import opens, version_of

LITTLE_SPACE = 2_000_000_000
"""Bytes; with less, a load of a gigabyte may fill the disk."""

_NAMED = 5
"""Shops that a finding names."""


class Verdict(StrEnum):
    """How bad a finding is; only `WRONG` makes the command fail."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    found: str
    remedy: str = ""


Examination = Callable[[World], Finding]


def doctor(*, as_json: JsonOption = False) -> None:
    """Look at everything that can be wrong and say what to do. Exit 1 if something is."""
    output = Output(as_json=as_json)
    world = open_world()
    world.require_home()
    with output.progress("Looking") as progress:
        findings = list(examine(world, progress.update))
    wrong = [finding for finding in findings if finding.verdict is Verdict.WRONG]
    output.result({"status": "wrong" if wrong else "good", "findings": [asdict(finding) for finding in findings]})
    for finding in findings:
        output.say(f"{finding.verdict.value:<9} {finding.what}: {finding.found}")
        if finding.remedy:
            output.say(f"          do: {finding.remedy}")
    output.say()
    doubtful = sum(finding.verdict is Verdict.DOUBTFUL for finding in findings)
    output.say(f"Wrong: {len(wrong)}; doubtful: {doubtful}." if wrong or doubtful else "Nothing is wrong.")
    raise typer.Exit(1 if wrong else 0)


def examine(world: World, say: Callable[[str], None]) -> Iterator[Finding]:
    """Look at one thing after the other; without a database there is no more to look at."""
    for what, look in (("home", home), ("disk space", space), ("Dagster UI", dagster_ui), ("server", server)):
        say(f"Looking at the {what}")
        finding = _look(what, look, world)
        yield finding
    if finding.verdict is Verdict.WRONG:
        return
    for what, look in (("schema", schema), ("Dagster's storage", dagster_storage)):
        say(f"Looking at {what}")
        finding = _look(what, look, world)
        yield finding
        if finding.verdict is Verdict.WRONG:
            continue
        if what == "Dagster's storage":
            yield _look("runs of commands", runs_of_commands, world)
        else:
            yield _look("partitions by time", partitions, world)
            yield _look("loads", loads, world)
            yield _look("access tokens", tokens, world)
            yield _look("webhook secrets", webhook_secrets, world)
            yield from data(world)


def _look(what: str, look: Examination, world: World) -> Finding:
    try:
        return look(world)
    except NeaneluError as error:
        return Finding(what, Verdict.WRONG, str(error))
    except (psycopg.Error, OSError) as error:
        return Finding(what, Verdict.WRONG, str(error).strip(), "read the server's log, then run this again")


def home(world: World) -> Finding:
    """Can we write there?"""
    folder = world.home
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "home", Verdict.WRONG, f"{folder} cannot be written", "give it to this user, or set NEANELU_HOME"
        )
    return Finding("home", Verdict.GOOD, str(folder))


def space(world: World) -> Finding:
    """Is there room for a load?"""
    free = shutil.disk_usage(world.home).free
    found = f"{bytes_text(free)} free"
    if free < LITTLE_SPACE:
        remedy = "a load needs about three times its file: make room, or set NEANELU_HOME to a larger disk"
        return Finding("disk space", Verdict.DOUBTFUL, found, remedy)
    return Finding("disk space", Verdict.GOOD, found)


def dagster_ui(world: World) -> Finding:
    """Does it run?"""
    where = whereabouts(world)
    found = f"running {where}" if where else "not running; `neanelu dev` starts it"
    return Finding("Dagster UI", Verdict.GOOD, found)


def server(world: World) -> Finding:
    """Does it answer, and will it do?"""
    with world.database.connect(Role.ADMIN, autocommit=True) as connection:
        facts = connection.execute(statement("database/server_facts"), {"extensions": list(EXTENSIONS)}).fetchone()
        place = f"{connection.info.host}:{connection.info.port}"
    if facts:
        refuse_unusable(place, *facts)
        kind = "embedded" if world.settings.database_url is None else "of NEANELU_DATABASE_URL"
        return Finding("server", Verdict.GOOD, f"PostgreSQL {facts[1]} at {place}, {kind}, with all extensions")
    return Finding("server", Verdict.WRONG, f"{place} did not say what it is")


def schema(world: World) -> Finding:
    """Are all migrations applied?"""
    missing = pending(world.database)
    if not missing:
        return Finding("schema", Verdict.GOOD, "all migrations are applied")
    failed = [item.name for item in missing if item.failed]
    found = f"{len(missing)} migrations are missing, the first is {missing[0].name}"
    return Finding(
        "schema", Verdict.WRONG, found + (f"; {failed[0]} failed" if failed else ""), "run `neanelu migrate`"
    )


def partitions(world: World) -> Finding:
    """Did rows fall beside the partitions by time?"""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        beside = {table: rows for table, rows in default_partition_rows(connection).items() if rows}
    if beside:
        found = ", ".join(f"{rows} rows of {table}" for table, rows in beside.items()) + " are in DEFAULT partitions"
        return Finding(
            "partitions by time",
            Verdict.DOUBTFUL,
            found,
            "launch the job keep_partitions, and see whose times they have",
        )
    return Finding("partitions by time", Verdict.GOOD, "every row is in a partition of its own time")


def loads(world: World) -> Finding:
    """Do loads claim to run that cannot be running?"""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        stuck = connection.execute(statement("cli/stuck_runs")).fetchall()
    if stuck:
        shops = ", ".join(sorted({f"{resource} of {shop}" for _, shop, resource, _ in stuck}))
        return Finding(
            "loads",
            Verdict.DOUBTFUL,
            f"{len(stuck)} say that they run, and were not heard of for over an hour: {shops}",
            "if their process is gone, load again: the next load of the shop's resource closes what died in a step, "
            "and what died between two steps once a day has passed",
        )
    return Finding("loads", Verdict.GOOD, "none is stuck")


def tokens(world: World) -> Finding:
    """Does every token open with the keys that there are?"""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        kept = connection.execute(statement("cli/sealed_tokens")).fetchall()
    if not kept:
        return Finding("access tokens", Verdict.GOOD, "no shop has one, so no key is needed")
    keyring = Keyring.from_settings(world.settings)
    shut = [domain for shop_id, domain, *sealed in kept if not keyring.opens(SealedToken(*sealed), shop_id)]
    remedy = "put the key back that sealed them, or give these shops a token again with `neanelu shop add`"
    return _of_sealed("access tokens", keyring, shut, [version for *_, version in kept], remedy)


def webhook_secrets(world: World) -> Finding:
    """Does every secret that a shop's webhooks are signed with open with the keys that there are?"""
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        kept = connection.execute(statement("cli/sealed_webhook_secrets")).fetchall()
    if not kept:
        return Finding("webhook secrets", Verdict.GOOD, "no shop has one of its own, so no key is needed")
    keyring = Keyring.from_settings(world.settings)
    shut = [domain for shop_id, domain, sealed in kept if not opens(keyring, sealed, shop_id)]
    remedy = "put the key back that sealed them, or give these secrets again with `neanelu webhooks secret`"
    return _of_sealed("webhook secrets", keyring, shut, [version_of(sealed) for *_, sealed in kept], remedy)


def _of_sealed(what: str, keyring: Keyring, shut: list[str], versions: list[int], remedy: str) -> Finding:
    if shut:
        more = ", …" if len(shut) > _NAMED else ""
        found = (
            f"{len(shut)} of {len(versions)} do not open with the keys of NEANELU_ENCRYPTION_KEYS: "
            f"{', '.join(shut[:_NAMED])}{more}"
        )
        return Finding(what, Verdict.WRONG, found, remedy)
    old = sum(version != keyring.current for version in versions)
    if old:
        found = f"all {len(versions)} open; {old} are not under the current key (version {keyring.current})"
        return Finding(what, Verdict.DOUBTFUL, found, "materialize the asset key_rotations")
    return Finding(what, Verdict.GOOD, f"all {len(versions)} open")


def data(world: World) -> Iterator[Finding]:
    """Does something in the data wait for somebody?"""
    try:
        with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
            found = list(troubles(connection))
    except psycopg.Error as error:
        yield Finding("data", Verdict.WRONG, str(error).strip(), "read the server's log, then run this again")
        return
    for trouble in found:
        if trouble.found:
            verdict = Verdict.WRONG if trouble.grave else Verdict.DOUBTFUL
            yield Finding(trouble.what, verdict, trouble.found, trouble.remedy)
        else:
            yield Finding(trouble.what, Verdict.GOOD, trouble.fine)


def dagster_storage(world: World) -> Finding:
    """Does Dagster's own database answer?"""
    with psycopg.connect(_dagster_storage_of(world), connect_timeout=10) as connection:
        name = connection.info.dbname
    return Finding("Dagster's storage", Verdict.GOOD, f"the database {name} answers")


def runs_of_commands(world: World) -> Finding:
    """Do runs keep their places in the pools whose command was killed?"""
    from neanelu_pipelines.cli.orchestra import dagster_instance, dead_runs

    what = "runs of commands"
    with psycopg.connect(_dagster_storage_of(world), connect_timeout=10) as connection:
        row = connection.execute(statement("cli/has_dagster_runs")).fetchone()
    if row == (False,):  # To open the storage would make its tables.
        return Finding(what, Verdict.GOOD, "there were none yet")
    with dagster_instance(world) as instance:
        dead = dead_runs(instance, shared=world.embedded is None)
    if not dead:
        return Finding(what, Verdict.GOOD, "none was left behind by a command that was killed")
    more = ", …" if len(dead) > _NAMED else ""
    names = ", ".join(f"{run.job_name} ({run.run_id})" for run in dead[:_NAMED])
    return Finding(
        what,
        Verdict.DOUBTFUL,
        f"the commands of {len(dead)} were killed, and they may hold places in Dagster's pools: {names}{more}",
        "`neanelu dev` ends them within a minute; without it the next `load` or `sync` does",
    )


def _dagster_storage_of(world: World) -> str:
    """Its connection string as psycopg reads it. Holds a password."""
    return dagster_storage_url(world.settings).replace("postgresql+psycopg2://", "postgresql://", 1)
