"""`neanelu migrate`: apply the schema, or say what is missing.

Belongs here: the command. Does not belong here: running migrations (`neanelu_pipelines.database.migrations`).
"""

from typing import Annotated

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.world import open_world


def migrate_command(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Say what is missing and change nothing; exit 1 if any.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Apply the schema; may be run again at any time."""
    from neanelu_pipelines.database.migrations import migrate, pending

    output = Output(as_json=as_json)
    world = open_world()
    if check:
        world.require_home()
        missing = pending(world.database)
        failures = {item.name: item.failure for item in missing if item.failure}
        told = {"status": "pending" if missing else "complete", "pending": [item.name for item in missing]}
        output.result({**told, "failures": failures} if failures else told)
        for item in missing:
            output.say(f"pending   {item.name}{f'   failed before: {item.failure}' if item.failure else ''}")
        output.say(f"Migrations that are missing: {len(missing)}." if missing else "Nothing is missing.")
        raise typer.Exit(1 if missing else 0)
    with output.progress("Applying migrations") as progress:
        applied = migrate(world.database, progress.update)
    output.result(
        {
            "status": "complete",
            "applied": [{"name": item.name, "milliseconds": item.milliseconds} for item in applied],
        }
    )
    for done in applied:
        output.say(f"applied   {done.name}   {done.milliseconds} ms")
    output.say(f"Migrations applied: {len(applied)}." if applied else "Nothing to do: the schema is complete.")
