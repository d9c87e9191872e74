"""telephony.toml: which ways to the phone network there are."""

from typing import Final

from campaign_events.table_file import TableFile
from dialler.telephony.settings import AsteriskSettings, SimulatorSettings

TELEPHONY_FILE: Final[TableFile[SimulatorSettings | AsteriskSettings]] = TableFile(
    table="telephony",
    noun="telephony",
    plural="telephonies",
    example='an example: [[telephony]], then lines like id = "sim" and type = "simulator"',
    fixes={
        "id": "use 1 to 64 letters, digits, - and _",
        "type": 'write "simulator" or "asterisk"',
        "url": 'write where its HTTP server is, as "http://127.0.0.1:8088"',
        "app": "use 1 to 64 letters, digits, -, _ and .",
        "amd_context": "use 1 to 64 letters, digits, -, _ and .",
    },
    kinds={"simulator": SimulatorSettings, "asterisk": AsteriskSettings},
)
