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
        place(path, secrets.token_bytes(KEY_BYTES))
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise ValueError(f"`{path.name}` is not a key of {KEY_BYTES} bytes")
    return found


def copy(source: Path, target: Path) -> None:
    """Every key of one folder into another that has none yet: what is sealed or signed with them stays good there."""
    for path in [*source.glob("*.key"), *source.glob("*/*.pem")]:
        copied = target / path.relative_to(source)
        copied.parent.mkdir(mode=0o700, exist_ok=True)
        place(copied, path.read_bytes())
        modified = path.stat().st_mtime_ns
        os.utime(copied, ns=(modified, modified))


def place(path: Path, content: bytes) -> bool:
    """Make the file, whole and durable; False if it is there already, because another worker was first.

    Written under another name and linked into place, so that nobody ever sees half a key.
    """
    unfinished = _written_beside(path, content)
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    _keep_names(path.parent)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put other content into a file that is there, at once for whoever reads it."""
    os.replace(_written_beside(path, content), path)
    _keep_names(path.parent)


def _written_beside(path: Path, content: bytes) -> Path:
    """A new file in the same folder, under a name that nobody looks for."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return unfinished


def _keep_names(folder: Path) -> None:
    """A new name survives a loss of power only once its folder was written too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
