"""Debian's Kannel (bearerbox and smsbox) on free ports, bound to a simulated carrier of its own.

Only unpacked, below this environment's folder, never installed. Its settings are the best found:
a window as ours, no rate of its own, no logs but errors, the answer to a request when bearerbox
has the message in its store. Neither program imports fsync: a power cut loses what the kernel had
not written, in either store.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import servers
from bench.debian import Package
from bench.gateway import Door, Gateway
from bench.listening import until_listening
from stacks import Link

KANNEL = Package("kannel", ("libmariadb3", "libpcre3", "libhiredis0.14", "libct4"))
USER = "bench"
STORE: Literal["file", "spool"] = "file"
UNLIMITED = 1_000_000
ACCEPTED = "HTTP/1.1 202"
ERRORS = "3"
"""The lowest level of a log line that is written: each line costs Kannel a write."""

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {user}
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = {errors}
dlr-storage = internal
store-type = {store}
store-location = {folder}/{store}
sms-outgoing-queue-limit = {unlimited}
smsbox-max-pending = {pending}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {http}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = {errors}
max-pending-requests = {pending}

group = sendsms-user
username = {user}
password = {user}
omit-empty = true
"""
SMSC = """
group = smsc
smsc = smpp
smsc-id = {link.id}
host = 127.0.0.1
port = {port}
smsc-username = {link.id}
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = {link.window}
enquire-link-interval = 30
"""


PATH = (
    f"/cgi-bin/sendsms?username={USER}&password={USER}&from=Bench&to={{destination}}"
    "&text=Hello+N,+this+is+measured&dlr-mask=3&dlr-url={report_to}"
)


@contextmanager
def running_kannel(
    folder: Path, link: Link, carrier_port: int, *, pending: int = 512, store: str = STORE
) -> Iterator[Gateway]:
    """Run bearerbox and smsbox until the block ends; inside, every session is bound."""
    programs = KANNEL.unpacked()
    ports = {name: servers.free_port() for name in ("admin", "box", "http")}
    (folder / "spool").mkdir(parents=True)
    config = folder / "kannel.conf"
    core = CONFIG.format(
        user=USER,
        folder=folder,
        store=store,
        pending=pending,
        unlimited=UNLIMITED,
        errors=ERRORS,
        **ports,
    )
    binds = SMSC.format(link=link, port=carrier_port) * link.sessions
    config.write_text(core.strip() + "\n" + binds)
    with ExitStack() as ending:
        processes = {}
        for name, port in (("bearerbox", ports["box"]), ("smsbox", ports["http"])):
            command = [str(programs / "usr" / "sbin" / name), "-v", ERRORS, str(config)]
            process = servers.running(command, folder / f"{name}.out", KANNEL.environment)
            processes[name] = ending.enter_context(process).pid
            until_listening(port)
        yield Gateway(Door("Kannel", ports["http"], PATH, ACCEPTED), processes)
