"""Bytes of a user's file to text: UTF-8 with or without a byte order mark, and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from judge.errors import FileError, Place

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> str:
    """Read a whole UTF-8 file; a byte order mark is taken off, line ends stay as they are.

    Raises FileError when the file cannot be opened, or names the first byte that is not UTF-8 with its line.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileError("no such file", at=path, hint="check the path and the folder you are in") from None
    except IsADirectoryError:
        raise FileError("is a folder, not a file", at=path) from None
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", at=path) from None
    return decoded(raw, path)


def decoded(raw: bytes, path: Path) -> str:
    """Decode the bytes of a file; see `read_text`."""
    offset = len(_BOM) if raw.startswith(_BOM) else 0
    try:
        return raw[offset:].decode("utf-8")
    except UnicodeDecodeError as error:
        byte = offset + error.start
        line = raw.count(b"\n", 0, byte) + 1
        found = "UTF-16" if raw.startswith(_UTF16) else f"byte 0x{raw[byte]:02x} at offset {byte}"
        raise FileError(f"not UTF-8: {found}", at=Place(str(path), line), hint="save the file as UTF-8") from None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file as a whole: a reader sees the old file or the new one, never a half.

    Raises FileError when the folder does not exist or cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror or error}", at=path) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FileError(f"cannot be written: {error.strerror or error}", at=path) from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
