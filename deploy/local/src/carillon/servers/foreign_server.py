"""A server that somebody else runs: the environment names it in place of one of our own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """One address for everybody."""

    address: str

    def url(self, _user: str = "") -> str:
        """Where to connect."""
        return self.address

    def login(self, _service: str) -> dict[str, str]:
        """What a service needs to be told about NATS; a key comes from the environment as well."""
        return {"CARILLON_NATS_URL": self.address}

    @property
    def public_url(self) -> str:
        """The address without the login in it."""
        scheme, _, rest = self.address.rpartition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"
