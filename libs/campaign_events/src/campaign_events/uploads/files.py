"""What an upload's body is: a bare `.csv` or `.txt`, or a form with one such file in it."""

from collections.abc import Callable
from typing import Literal

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from campaign_events.uploads.rows import Unreadable

type Kind = Literal["csv", "txt"]


class BareFile:
    """A body that is the file itself."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind | None = kind

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the file in this piece of the body."""
        return data

    def finish(self) -> None:
        """Check that the body has come to its end."""


class FormFile:
    """A `multipart/form-data` body; its one file part is the file, other fields are passed over."""

    def __init__(self, boundary: bytes) -> None:
        self.kind: Kind | None = None
        self._taken = bytearray()
        self._inside = False
        self._ended = False
        self._name = b""
        self._headers: dict[bytes, bytes] = {}
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._headers.clear,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        except FormParserError as error:
            raise Unreadable("the boundary of the multipart form is too long") from error

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the file in this piece of the body.

        Raises:
            Unreadable: the body is not a form, or holds two files.

        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Unreadable("the body is not a well-formed multipart form") from error
        taken = bytes(self._taken)
        self._taken.clear()
        return taken

    def finish(self) -> None:
        """Check that the body has come to its end.

        Raises:
            Unreadable: it was cut off, or no part was a file.

        """
        if not self._ended:
            raise Unreadable("the multipart form is cut off")
        if self.kind is None:
            raise Unreadable("the multipart form holds no file")

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end].lower()

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._headers[self._name] = self._headers.get(self._name, b"") + data[start:end]

    def _on_header_end(self) -> None:
        self._name = b""

    def _on_headers(self) -> None:
        _, disposition = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = disposition.get(b"filename")
        self._inside = filename is not None
        if filename is None:
            return
        if self.kind is not None:
            raise Unreadable("the multipart form holds more than one file")
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.kind = kind_of(content_type, filename.decode("utf-8", "replace"))
        if self.kind is None:
            raise Unreadable(
                "the file must be a .csv or a .txt: unpack it, or save a spreadsheet as CSV UTF-8"
            )

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._taken += data[start:end]

    def _on_end(self) -> None:
        self._ended = True


type UploadedFile = BareFile | FormFile


def kind_of(content_type: str, filename: str = "") -> Kind | None:
    """Return what a file is: by its name, else by its declared type."""
    name = filename.lower()
    media = content_type.partition(";")[0].strip().lower()
    if name.endswith(".csv") or (media == "text/csv" and not name.endswith(".txt")):
        return "csv"
    if name.endswith(".txt") or media == "text/plain":
        return "txt"
    return None


def uploaded_file(content_type: str) -> UploadedFile | None:
    """Return how to read a body of this type; None when it can be no upload."""
    media, options = parse_options_header(content_type)
    if media == b"multipart/form-data" and options.get(b"boundary"):
        return FormFile(options[b"boundary"])
    kind = kind_of(content_type)
    return BareFile(kind) if kind else None
