"""All ways in which people write one phone number, found and hidden in any text."""

import re

_BETWEEN = rb"(?:[ \t./()-]|\xc2\xa0){0,3}"
_LONGEST_PREFIX = 24
HIDDEN = b"*"


class Writings:
    """One phone: `+49 151 …`, `0049151…`, `0151/…`, or its digits only."""

    def __init__(self, calling_code: str, national: str, trunk: str = "0") -> None:
        """Know its parts; `trunk` is what its country dials before a national number, if anything.

        Raises:
            ValueError: they are not digits.

        """
        if not (calling_code + national + trunk).isdecimal():
            raise ValueError("a phone number has digits only")
        code, first = calling_code.encode(), trunk.encode() or b"0"
        self._core = re.compile(
            _BETWEEN.join(re.escape(national.encode()[i : i + 1]) for i in range(len(national)))
            + rb"(?!\d)"
        )
        zero = rb"(?:\(?(?:0|%b)\)?%b)?" % (first, _BETWEEN)
        self._before = re.compile(
            rb"(?<!\d)(?:(?:\+|00)?%b%b%b|\(?(?:0|%b)%b)?\Z"
            % (code, _BETWEEN, zero, first, _BETWEEN)
        )

    def hidden(self, content: bytes) -> bytes | None:
        """Return the same number of bytes with every writing hidden; None when there is none."""
        pieces, end = [], 0
        for found in self._core.finditer(content):
            start = found.start()
            before = self._before.search(content[max(0, start - _LONGEST_PREFIX) : start])
            if before is None:
                continue
            first = start - len(before.group())
            pieces += [content[end:first], HIDDEN * (found.end() - first)]
            end = found.end()
        return b"".join([*pieces, content[end:]]) if pieces else None

    def hide(self, value: object) -> object:
        """Return a value, and whatever is in it, without the phone; the same one if it has none."""
        match value:
            case str():
                hidden = self.hidden(value.encode(errors="surrogatepass"))
                return value if hidden is None else hidden.decode(errors="surrogatepass")
            case bytes():
                return self.hidden(value) or value
            case dict():
                changed = {self.hide(key): self.hide(one) for key, one in value.items()}
                return value if changed == value else changed
            case list():
                items = [self.hide(one) for one in value]
                return value if items == value else items
            case _:
                return value
