"""The parts of one message as the carrier gets them."""

import hashlib

from dispatcher.inflight import reference
from dispatcher.links.link import Part
from dispatcher.outgoing import Outgoing
from smpp.text import encode


def parts_of(
    campaign: Outgoing, number: int, phone: str, phone_hash: str, text: str
) -> tuple[Part, ...]:
    """Return what is to be submitted; as many parts as the text takes segments."""
    encoded = encode(text, reference=parts_reference(phone_hash, campaign.id, number))
    parts = [
        Part(
            (campaign.id, number, index),
            phone,
            reference(campaign.id, number, index),
            part.octets,
            part.data_coding,
            part.udh,
            campaign.source,
        )
        for index, part in enumerate(encoded)
    ]
    return tuple(parts)


def parts_reference(phone_hash: str, campaign: str, number: int) -> int:
    """Return the 8-bit reference by which a phone puts the parts of one message together.

    Nobody can foretell it without our key, and it is the same whenever the message is sent again.
    """
    key = phone_hash.encode()
    return hashlib.blake2b(f"{campaign}/{number}".encode(), digest_size=1, key=key).digest()[0]
