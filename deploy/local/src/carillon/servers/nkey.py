"""Keys of NATS users: a seed that only the user has, and a public key that the server knows."""

import secrets

import nkeys


def new_seed() -> str:
    """Make the secret half of a user's key."""
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def public_of(seed: str) -> str:
    """Return the half that the server is told."""
    public: bytes = nkeys.from_seed(bytearray(seed.strip().encode())).public_key
    return public.decode()
