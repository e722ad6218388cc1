"""The command's entry: assembles the subcommands and turns errors into words.

Belongs here: registration and exit statuses. Does not belong here: subcommands.
"""

import gc
import sys
from typing import NoReturn

import psycopg
import typer

from neanelu_pipelines.cli import (
    bench,
    database,
    demo,
    dev,
    doctor,
    load,
    migrate,
    removals,
    sandbox,
    shop,
    status,
    sync,
    webhooks,
)
from neanelu_pipelines.cli.output import Output
from neanelu_pipelines.errors import NeaneluError

app = typer.Typer(
    name="neanelu",
    help="Shopify shops mirrored into PostgreSQL 18, tenant-isolated, and golden records over them; run by Dagster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("dev")(dev.dev)
app.command("migrate")(migrate.migrate_command)
app.command("load")(load.load)
app.command("sync")(sync.sync)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("sandbox")(sandbox.sandbox)
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(removals.app, name="removals")
# Its options are those of benchmarks/, and so is its help.
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command("bench", add_help_option=False, context_settings=_PASS_ON)(bench.bench)
app.add_typer(database.app, name="database")
app.add_typer(shop.app, name="shop")


def main() -> None:
    """Run the command; exit 0 only when all of it worked. Errors that a user can cause are words, not tracebacks."""
    try:
        # Mistakes in the arguments are shown by Typer, with the usage; asked for an object, it leaves them to us.
        sys.exit(app(standalone_mode="--json" not in sys.argv))
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except NeaneluError as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(f"The database did not answer: {str(error).strip()}. `neanelu doctor` says what is wrong.")
    finally:
        # Python would look through all of Dagster's modules for garbage once more before it ends: half a second.
        gc.freeze()


def _fail(message: str, code: int = 1) -> NoReturn:
    output = Output(as_json="--json" in sys.argv)
    output.error(message)
    output.result({"status": "failed", "error": message})
    sys.exit(code)


if __name__ == "__main__":
    main()
