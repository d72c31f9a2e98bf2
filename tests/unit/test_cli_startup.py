"""What a start loads: the library that an error or a help text does not need stays on the disk."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "numpy", "scipy", "krippendorff", "sqlalchemy", "sqlmodel", "alembic", "jinja2", "pygments", "latex2mathml",
    "markdown_it", "nh3", "ruamel", "rich", "psycopg", "litestar", "uvicorn", "openai", "anthropic", "hypothesis",
}  # fmt: skip


def loaded(code, *, cwd):
    """The top names that a fresh interpreter holds after some code."""
    script = f"import sys\n{code}\nprint('\\n' + ' '.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_an_import_and_the_help_load_no_heavy_library(tmp_path):
    found = loaded("import judge; from judge.cli.app import run; run(['--help'])", cwd=tmp_path)
    assert found & (HEAVY | {"pydantic"}) == set()


def test_an_error_in_the_command_line_loads_no_heavy_library(tmp_path):
    code = """
from judge.cli.app import run
for words in (["--version"], ["run", "--help"], ["no-such-command"], ["run", "--no-such-option"], ["run", "nowhere.yaml"]):
    run(words)
"""
    light = HEAVY - {"numpy", "sqlalchemy", "sqlmodel"}  # the last of them comes as far as the study's room
    assert loaded(code, cwd=tmp_path) & light == set()
    assert loaded(code.replace(', ["run", "nowhere.yaml"]', ""), cwd=tmp_path) & HEAVY == set()


def test_the_python_api_is_loaded_when_it_is_first_used_without_what_only_reports_need(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"id": "1", "prompt": "?", "output_a": "x", "output_b": "y"}\n')
    (tmp_path / "l.jsonl").write_text('{"pair": "1", "annotator": "p", "label": "a"}\n')
    found = loaded("import judge; judge.agree(pairs='p.jsonl', labels='l.jsonl')", cwd=tmp_path)
    assert "numpy" in found
    assert found & {"alembic", "jinja2", "pygments", "latex2mathml", "markdown_it", "litestar", "ruamel", "rich"} == set()


def test_the_doctor_needs_no_page(tmp_path):
    found = loaded("from judge.cli.app import run; run(['doctor'])", cwd=tmp_path)
    assert found & {"alembic", "jinja2", "pygments", "rich", "litestar"} == set()
