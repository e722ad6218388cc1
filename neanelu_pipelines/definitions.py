"""The door of the code location: Dagster loads this module and finds the definitions.

Belongs here: calling `build_defs`. Does not belong here: anything else.
"""

import dagster as dg

from neanelu_pipelines.defs.build import build_defs


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions with the real world behind them."""
    return build_defs()
