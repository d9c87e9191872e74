"""What can go wrong without being a mistake in Carillon."""

import errno

OUT_OF_REACH = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
        *(errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT),
    }
)


class PlainError(Exception):
    """Its text is all that a person needs: what happened, and what to do about it."""


def about_a_file(error: OSError) -> str | None:
    """What a person is told about a file or folder that cannot be used; None: it is a mistake."""
    if error.filename is None or error.errno not in OUT_OF_REACH:
        return None
    return (
        f"{error.filename} cannot be used ({error.strerror}): choose another --data "
        "(or FILE), or run as its owner."
    )
