"""links.toml: which carrier links there are."""

from typing import Final

from campaign_events.table_file import TableFile
from dispatcher.links.settings import LinkSettings

LINKS_FILE: Final[TableFile[LinkSettings]] = TableFile(
    table="links",
    noun="link",
    plural="links",
    example='an example: [[links]], then lines like id = "acme" and host = "127.0.0.1"',
    fixes={
        "id": "use 1 to 64 letters, digits, - and _",
        "type": 'the only type is "smpp"; leave it out or write that',
        "bind": 'Carillon binds as "transceiver" only: submits and reports need one session; '
        "leave it out or write that",
        "on_unknown": 'write "fail" (never sent again) or "resend" (may reach a person twice)',
        "dlr_ids": 'write "auto", "hex" or "decimal"',
        "errors": 'write errors = { "0x401" = "temporary" }: a name or number of a command '
        'status, and "throttled", "temporary" or "permanent"',
    },
    kinds={None: LinkSettings},
)
