"""The address of an object in an object store, as a path: `s3://bucket/prefix/name`.

It has a path's names only: how objects are read and written is in `raw/object_storage.py`.
"""

from __future__ import annotations

import re
from pathlib import Path, PosixPath
from typing import NoReturn

_SCHEME, _ROOT = "s3://", "s3:/"
"""How an address begins, and how it does once a path has dropped the double slash."""


class ObjectPath(PosixPath):
    """An object, or the objects below a prefix.

    Whatever opens, makes or removes it as a file of this machine gets a `TypeError`, not a folder named `s3:`.
    """

    def __str__(self) -> str:
        """Return the address."""
        text = super().__str__()
        return _SCHEME + text.removeprefix(_ROOT) if text.startswith(_ROOT) else text

    def __fspath__(self) -> NoReturn:
        """Refuse: no file of this machine has that path.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self} is in an object store, not on this machine")

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.parts[1]

    @property
    def key(self) -> str:
        """The name of the object in its bucket."""
        return "/".join(self.parts[2:])


def is_address(text: str) -> bool:
    """Return whether a text is written like an address, of whatever kind, and so is no path of this machine."""
    return "://" in text or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text) is not None


def on_this_machine(path: Path) -> bool:
    """Return whether a path is one of this machine."""
    return not isinstance(path, ObjectPath)
