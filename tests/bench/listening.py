"""Waiting until a program that was just started takes connections."""

import socket
import time

PATIENCE_S = 60


def until_listening(port: int) -> None:
    """Wait until a port of our own takes connections.

    Raises:
        TimeoutError: none does.

    """
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
