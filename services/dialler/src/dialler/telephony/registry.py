"""Which implementation speaks for which `type` in telephony.toml: one case per kind."""

from contextlib import AbstractAsyncContextManager
from typing import assert_never

from dialler.telephony.asterisk import open_asterisk
from dialler.telephony.settings import AsteriskSettings, SimulatorSettings, TelephonySettings
from dialler.telephony.simulator import open_simulator
from dialler.telephony.telephony import Telephony


def open_telephony(settings: TelephonySettings) -> AbstractAsyncContextManager[Telephony]:
    """Keep the phone side connected inside the `async with` block; leaving it ends no call."""
    match settings:
        case SimulatorSettings():
            return open_simulator(settings)
        case AsteriskSettings():
            return open_asterisk(settings)
        case _:
            assert_never(settings)
