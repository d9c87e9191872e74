"""Message ids, made comparable.

A carrier may write one id in two ways: decimal in the submit answer and hexadecimal in the
receipt, or the other way round, padded with zeros or not, in either case. The answer's id is the
one that we keep and show, folded to lower case without leading zeros. `dlr_ids` says how receipts
write it:

- `auto`: as the answer did (and `receipted` names the other readings, to be tried in turn);
- `hex`: receipts are hexadecimal, answers are decimal;
- `decimal`: receipts are decimal, answers are hexadecimal.
"""

import re
from typing import Literal

from smpp.receipt import Receipt

type DlrIds = Literal["auto", "hex", "decimal"]

_MOST_DIGITS = 20
_HEX = re.compile(r"[0-9a-f]{1,16}\Z")


def folded(raw: str) -> str:
    """An id without what carriers add and drop at will: spaces, case, leading zeros."""
    plain = raw.strip().lower().removeprefix("0x")
    return plain.lstrip("0") or ("0" if plain else "")


def receipted(receipt: Receipt, dlr_ids: DlrIds = "auto") -> tuple[str, ...]:
    """The readings of a receipt's id, the likeliest first; empty when it names no message.

    All but the first are guesses: who matches by one of them checks the destination too.
    """
    text_id = folded(receipt.text_id or "")
    tlv_id = folded(receipt.tlv_id or "")
    if text_id and tlv_id and text_id != tlv_id:
        # The optional parameter is the answer's id by specification; the text is the carrier's.
        readings = [tlv_id, *_readings(text_id, dlr_ids), *_readings(tlv_id, dlr_ids)]
    else:
        readings = _readings(tlv_id or text_id, dlr_ids)
    return tuple(dict.fromkeys(filter(None, readings)))


def _readings(plain: str, dlr_ids: DlrIds) -> list[str]:
    as_hex = str(int(plain, 16)) if _HEX.match(plain) else ""
    as_decimal = f"{int(plain):x}" if plain.isdecimal() and len(plain) <= _MOST_DIGITS else ""
    match dlr_ids:
        case "auto":
            return [plain, as_hex, as_decimal]
        case "hex":
            return [as_hex, plain, as_decimal]
        case "decimal":
            return [as_decimal, plain, as_hex]
