"""What can go wrong without being a mistake in Carillon."""


class PlainError(Exception):
    """Its text is all that a person needs: what happened, and what to do about it."""
