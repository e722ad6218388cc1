"""`neanelu bench`: the README's figures, measured here and now, side by side with what they are compared with.

Belongs here: finding the benchmarks. Does not belong here: measuring (`benchmarks/`, which only a checkout has).
"""

import importlib.util

import typer

from neanelu_pipelines.errors import NeaneluError


class NoBenchmarksError(NeaneluError):
    """The benchmarks are not installed here."""


def bench(context: typer.Context) -> None:
    """Measure loads against plain COPY, ELT in SQL and dlt."""
    if importlib.util.find_spec("benchmarks") is None:
        raise NoBenchmarksError(
            "The benchmarks are in the source checkout, not in the installed package: clone the repository and run "
            "`neanelu bench` in it, with the extra `bench` installed."
        )
    from benchmarks import run

    raise typer.Exit(run.main(context.args))
