"""Cells of files that people open in spreadsheets: nothing in them is ever a formula."""

_RISKY = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")
"""How formulas may begin, in full width too."""


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; who reads it drops one apostrophe."""
    return f"'{cell}" if cell.startswith(_RISKY) else cell
