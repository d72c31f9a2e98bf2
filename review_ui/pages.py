"""Templates and the files they link to.  A template shows, it never computes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from litestar import Response

from judge.text import finalized

if TYPE_CHECKING:
    from jinja2 import Environment

TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that pages link to, as it is sent."""

    content: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Read every style sheet and script once.  `desk.css` also holds the colours of code in the texts."""
    from judge.text import code_css

    found = {}
    root = files("review_ui") / "static"
    for place in (root, root / "vendor"):
        for file in sorted(place.iterdir(), key=lambda file: file.name) if place.is_dir() else ():
            suffix = file.name[file.name.rfind(".") :]
            if suffix in TYPES:
                extra = code_css().encode() if file.name == "desk.css" else b""
                found[file.name] = Asset(file.read_bytes() + extra, TYPES[suffix])
    return found


@cache
def version() -> str:
    """Name the state of all assets; it stands in their URLs, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(f"{name} {len(asset.content)} ".encode() + asset.content)
    return digest.hexdigest()[:12]


def link(name: str) -> str:
    """Give the URL of an asset."""
    return f"/static/{version()}/{name}"


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("review_ui", "templates"),
        autoescape=True,
        finalize=finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["link"] = link
    return templates


def render(name: str, **shown: Any) -> str:
    """Fill a template."""
    return _templates().get_template(name).render(**shown)


def html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Answer with a page or a fragment of one."""
    return Response(text.encode(), status_code=status, media_type="text/html", headers=headers)


def json_answer(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    """Answer a script."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status_code=status, media_type="application/json")
