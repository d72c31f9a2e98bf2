"""Puts htmx and Swagger UI, from packages that only the build needs, into `review_ui/static/vendor`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = (  # package, file in it, name here
    ("django_htmx", "static/django_htmx/htmx-2.min.js", "htmx.js"),
    ("drf_spectacular_sidecar", "static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui.js"),
    ("drf_spectacular_sidecar", "static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css", "swagger-ui.css"),
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs for wheels and for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Copy the files anew, so that they are those of the pinned packages."""
        folder = Path(self.root, "review_ui", "static", "vendor")
        folder.mkdir(parents=True, exist_ok=True)
        for package, source, name in ASSETS:
            (folder / name).write_bytes(files(package).joinpath(source).read_bytes())
