"""Stand-ins for the world outside: made-up shops, a local Shopify, a supplier site, an OpenAI.

Belongs here: what the demo, the tests and the benchmarks use in place of accounts and networks, true to the wire down
to its byte rules. Does not belong here: anything that a production run needs; no room but the command imports this.
"""
