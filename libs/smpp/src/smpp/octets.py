"""Zero-ended strings, the shape of nearly every mandatory parameter."""

from smpp.framing import MalformedPduError


def c_string(text: str) -> bytes:
    """A text with its closing zero.

    Raises:
        ValueError: it holds a zero or a character beyond Latin-1.

    """
    encoded = text.encode("latin-1")
    if 0 in encoded:
        raise ValueError("a zero inside a C-octet string")
    return encoded + b"\0"


def read_c_string(body: bytes, at: int) -> tuple[str, int]:
    """The text that begins at `at`, and where the next parameter begins.

    Raises:
        MalformedPduError: its closing zero is missing.

    """
    end = body.find(0, at)
    if end < 0:
        raise MalformedPduError("a C-octet string without its end")
    return body[at:end].decode("latin-1"), end + 1
