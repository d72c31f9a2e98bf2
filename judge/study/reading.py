"""What the parts of study.yaml share: files that must exist, names, and the mapping that is being read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from judge.data import Fields, YamlFile
from judge.errors import JudgeError, StudyError

T = TypeVar("T")

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_JUDGE_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._:@+/-]*"  # judges in files are often called by owner/model:version
_VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    """The YAML of a study and the folder that its paths start from."""

    yaml: YamlFile
    folder: Path

    def file(self, fields: Fields, key: str) -> Path | None:
        """Find the file that a key names.  Raises StudyError at its line when it is not there."""
        name = fields.maybe_name(key)
        if name is None:
            return None
        path = self.folder / name
        if not path.is_file():
            problem = f"{path} is a folder, not a file" if path.is_dir() else f"no file {path}"
            fields.fail(key, problem, "paths start from the study file's folder")
        return path

    def read(self, fields: Fields, key: str, reader: Callable[[Path], T]) -> tuple[T, Path] | None:
        """Read the file that a key names; what is wrong in it is reported at the study's line as well."""
        path = self.file(fields, key)
        if path is None:
            return None
        try:
            return reader(path), path
        except JudgeError as error:
            raise StudyError(str(error), at=fields.place(key)) from error


def check_arm_name(fields: Fields, name: str) -> None:
    """Refuse a name that could not stand in a pair's id or on a command line."""
    if not re.fullmatch(_NAME, name):
        fields.fail(None, "is no name for an arm", "use letters, digits, dots, hyphens and underscores")


def check_judge_name(fields: Fields, name: str) -> None:
    """Refuse a name that could not stand in a table."""
    if not re.fullmatch(_JUDGE_NAME, name):
        fields.fail(None, "is no name for a judge", "use letters, digits and . _ - : @ + /")


def study_name(fields: Fields, folder: Path) -> str:
    """Give the study's own name or that of its folder, with odd characters made hyphens."""
    name = fields.maybe_name("name")
    if name is None:
        return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._") or "study"
    if not re.fullmatch(_NAME, name):
        fields.fail("name", f"'{name}' is no name for a study", "use letters, digits, dots, hyphens and underscores")
    return name


def key_variable(fields: Fields) -> str | None:
    """Read `key_env`: the name of an environment variable, never the key itself."""
    name = fields.maybe_name("key_env")
    if name is not None and not re.fullmatch(_VARIABLE, name):
        # The value is not repeated: it may be the secret itself.
        fields.fail("key_env", "is no name of an environment variable", "name the variable that holds the key")
    return name


def server(fields: Fields) -> str | None:
    """Read `base_url`: an http or https address, without the slash at its end."""
    url = fields.maybe_name("base_url")
    if url is None:
        return None
    secret = next((mark for mark in "@?#" if mark in url), None)
    if secret:  # the address is not repeated: what stands around such a mark may be a secret
        fields.fail(
            "base_url", f"holds '{secret}', as beside a secret", "put the key into a variable, and name it by `key_env`"
        )
    if not _is_address(url):
        example = "for example http://127.0.0.1:8000/v1; a host beyond ASCII is written in its form xn--"
        fields.fail("base_url", f"'{url}' is no address", example)
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    """Say whether an address can be asked: scheme, a host that can be looked up, perhaps a port; no odd character."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.netloc.startswith("[") or re.fullmatch(r"[\d.]+", host):
            ip_address(host)
        else:
            host.encode("ascii")  # clients differ in how they read other letters
            host.encode("idna")  # refuses empty and overlong labels
    except ValueError:  # brackets that do not match, a port beyond 65535, what looks like numbers and is no address
        return False
    plain = re.fullmatch(r"(\[[^\[\]]+\]|[^\[\]:]+)(:\d+)?", parts.netloc) is not None
    odd = re.search(r"[\s\x00-\x1f\x7f\\]", url) is not None
    return parts.scheme in ("http", "https") and host.strip(".") != "" and port != 0 and plain and not odd


def sole_source(fields: Fields, sources: tuple[str, ...], what: str) -> str:
    """Give the one key among the sources that is there.  Raises StudyError when there is none or more than one."""
    found = [source for source in sources if fields.has(source)]
    if not found:
        fields.fail(None, f"says not where its {what} come from", f"one of {', '.join(sources)}")
    if len(found) > 1:
        fields.fail(found[1], f"given together with {found[0]}", f"keep one of {', '.join(sources)}")
    return found[0]


def only_with(fields: Fields, key: str, source: str, sources: tuple[str, ...]) -> None:
    """Refuse a key that means nothing for this source."""
    if fields.has(key) and source not in sources:
        fields.fail(key, f"has no meaning beside {source}", f"it goes with {' or '.join(sources)}")


def plain(value: Any) -> Any:
    """Copy values as JSON knows them: tuples become lists."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
