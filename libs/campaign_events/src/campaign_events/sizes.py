"""Sizes that the services and the edge in front of them agree on."""

MAX_BODY = 1024 * 1024
"""Bytes of a request that is no upload."""
