"""What a short message has room for, and the characters that need least of it.

3GPP TS 23.038, 6.2.1: the default alphabet and its extension table. TS 23.040, 9.2.3.24.1: a part
of several gives 7 septets or 3 UTF-16 units to its header, which holds an 8-bit reference.
"""

import re
from typing import Final

GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: a character's place is its code. The escape at 0x1B is no character."""

GSM_EXTENSION: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""Characters that follow an escape, and so count twice."""

ESCAPE: Final = 0x1B

NOT_GSM: Final = re.compile(
    f"[^{re.escape(GSM_BASIC.replace(chr(ESCAPE), ''))}{re.escape(''.join(GSM_EXTENSION))}]"
)
"""A character that neither table has: it takes the whole text to UCS-2."""

SINGLE_SEPTETS: Final = 160
PART_SEPTETS: Final = 153
SINGLE_UNITS: Final = 70
PART_UNITS: Final = 67
