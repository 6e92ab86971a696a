"""Secret keys in the folder of the store: made on first use, readable by the owner of the process only."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def key(folder: Path, name: str) -> bytes:
    """The 32 random bytes in `folder/name.key`, the same for every worker and after every restart.

    Raises ValueError if the file is not as long as a key.
    """
    path = folder / f"{name}.key"
    if not path.exists():
        _create(path)
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise ValueError(f"`{path.name}` is not a key of {KEY_BYTES} bytes")
    return found


def _create(path: Path) -> None:
    """Written under another name first and linked into place, so that no other worker ever sees half a key."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return  # another worker was first, and its key is the key
    finally:
        unfinished.unlink()
