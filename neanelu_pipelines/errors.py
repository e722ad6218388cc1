"""The errors that a person is meant to read: what happened, where, and what to do about it.

Belongs here: the base class that the command prints without a traceback, and nothing else. Each room defines its own
errors beside the code that raises them. Does not belong here: errors that nobody can cause (those are bugs, and a
traceback is what one wants of them).
"""


class NeaneluError(Exception):
    """Something that a user, a file, a server or a shop can cause; its message says what to do.

    `transient` tells whoever runs the step whether trying again by itself can help (a lost connection) or not (a file
    that is not what it says). Dagster's retries are decided from it.
    """

    transient = False
