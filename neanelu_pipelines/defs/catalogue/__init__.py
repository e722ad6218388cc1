"""The catalogue: every relation of the schema as an asset spec, with what a person wants to know about it.

Belongs here: turning descriptions of relations into specs, and saying who writes what and from what. Does not belong
here: how any of it is made.
"""
