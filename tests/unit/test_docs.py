"""The documentation says what the program does: commands, keys, columns, messages, links, and blocks that really run."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import typer

from judge.cli.app import app
from judge.data import KINDS
from judge.decision.report import to_json
from judge.domain import CHOICES
from judge.rubric import lint as rubric_lint
from judge.rubric import parse_rubric, shipped_rubrics
from judge.rubric.lint import RULES
from judge.rubric.read import CRITERION_KEYS
from judge.rubric.read import KEYS as RUBRIC_KEYS
from judge.study.arms import ARM_KEYS, DECODING_KEYS
from judge.study.judges import JUDGE_KEYS
from judge.study.load import KEYS as STUDY_KEYS
from judge.study.rules import GATE_KEYS, REVIEW_KEYS
from judge.workflow.facade import Study
from judge.workflow.starting import init

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
RUN = sorted([DOCS / "tutorial/first-study.md", *(p for p in (DOCS / "how-to").glob("*.md") if p.stem != "use-postgresql")])
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Every fenced block with its language."""
    return BLOCK.findall(page.read_text())


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text())


def sections(page: Path) -> dict[str, str]:
    """Text under each heading of the second level."""
    parts = re.split(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> list[str]:
    return [row[0] for row in re.findall(r"^\| (.+?) \|(.*)$", text, re.MULTILINE)]


def words(cells: list[str]) -> set[str]:
    """Everything in backticks in these cells."""
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


# --- Commands ---------------------------------------------------------------------------------------------------------


def commands() -> dict[str, set[str]]:
    """Every command with its options, as the program has them."""
    found: dict[str, set[str]] = {}

    def walk(command, name):
        inner = getattr(command, "commands", None)
        if inner:
            for word, one in inner.items():
                walk(one, f"{name} {word}")
            return
        options = {option for one in command.params for option in one.opts if option.startswith("-")}
        found[name] = options - {"-h", "--help"}

    walk(typer.main.get_command(app), "judge")
    return found


def test_every_command_and_option_is_documented_and_no_other():
    described = {
        title: {word for word in words(first_cells(text)) if word.startswith("-")}
        for title, text in sections(REFERENCE / "commands.md").items()
    }
    assert described == commands()


# --- Keys and columns -------------------------------------------------------------------------------------------------


def test_every_key_of_a_study_is_documented_and_no_other():
    found = {title: words(first_cells(text)) for title, text in sections(REFERENCE / "study-yaml.md").items()}
    assert found == {
        "Top level": set(STUDY_KEYS),
        "arms.NAME": set(ARM_KEYS),
        "decoding": set(DECODING_KEYS),
        "judges.NAME": set(JUDGE_KEYS),
        "review": set(REVIEW_KEYS),
        "gates": {f"{group}.{key}" for group, keys in GATE_KEYS.items() for key in keys},
    }


def test_every_key_of_a_rubric_is_documented_and_no_other():
    found = {title: words(first_cells(text)) for title, text in sections(REFERENCE / "rubric.md").items()}
    assert found["Keys"] == set(RUBRIC_KEYS)
    assert found["A criterion"] == set(CRITERION_KEYS)
    assert found["Shipped rubrics"] == set(shipped_rubrics())


def test_every_piece_of_advice_on_a_rubric_is_documented():
    codes = words(first_cells(sections(REFERENCE / "rubric.md")["Advice of `judge rubric lint`"]))
    tree = ast.parse((ROOT / "judge/rubric/lint.py").read_text())
    given = {word.value.value for word in ast.walk(tree) if isinstance(word, ast.keyword) and word.arg == "code"}
    assert codes == given
    assert len(codes) == len(RULES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_of_every_kind_of_file_is_documented_and_no_other(kind):
    assert words(first_cells(sections(REFERENCE / "files.md")[kind])) == set(KINDS[kind].columns)


def test_other_names_of_columns_are_documented():
    aliases = {alias for kind in KINDS.values() for alias in kind.aliases}
    assert aliases <= words([prose(REFERENCE / "files.md")])


def test_every_choice_of_a_label_is_documented():
    assert set(CHOICES) <= words([sections(REFERENCE / "files.md")["labels"]])


# --- Documents --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("starter")
    init(folder)
    study = Study.open(folder / "study.yaml", db=str(folder / "judge.db"))
    study.run()
    return study


BY_NAME = {"raw_by_pair", "cohen_by_pair", "vs_annotator", "judges", "judge_raw", "corrected", "criteria", "reasons", "arms"}
BY_NAME |= {"by_judge", "versions"}


def keys_of(document, holder: str = "") -> set[str]:
    """Every key of a document; names of judges, people and the like are no keys."""
    if isinstance(document, list):
        return set().union(*(keys_of(item) for item in document))
    if not isinstance(document, dict):
        return set()
    own = set() if holder in BY_NAME else set(document)
    return own.union(*(keys_of(value, "" if holder in BY_NAME else key) for key, value in document.items()))


def test_every_key_of_the_agreement_document_is_documented(starter):
    found = keys_of(starter.agree().to_json())
    assert {"lambda", "alpha_nominal", "two_orders_majority", "cluster"} <= found
    assert found - words([prose(REFERENCE / "agree-json.md")]) == set()


def test_every_key_of_the_report_document_is_documented(starter):
    document = to_json(starter.report())
    assert document.pop("agreement")
    described = words([prose(REFERENCE / "report-json.md"), sections(REFERENCE / "agree-json.md")["Est: one estimate"]])
    assert keys_of(document) - described == set()


# --- Messages ---------------------------------------------------------------------------------------------------------

ROOMS = ("access", "agreement", "calls", "cli", "data", "desk", "review", "rubric", "store", "study", "workflow")


def templates() -> list[re.Pattern[str]]:
    """Every text of the rooms in which users' errors arise, with anything where a value is filled in."""
    paths = [path for room in ROOMS for path in (ROOT / "judge" / room).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    texts = [re.escape(node.value) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            texts.append("".join(".+" if part is None else re.escape(str(part)) for part in parts))
    return [re.compile(text) for text in texts if len(text.replace(".+", "")) > 5]


TITLES = ("Commands", "Models that are asked", "Candidates", "The review", "Import and export", "The database")
PAGE = (REFERENCE / "errors.md").read_text()
IN_FILES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
OF_COMMANDS = [
    re.findall(r"`([^`]+)`", row)[0]
    for title in TITLES
    for row in re.findall(r"^\| [^|]+ \| (`[^|]+) \|", sections(REFERENCE / "errors.md")[title], re.MULTILINE)
]


def test_every_documented_message_is_one_that_the_code_gives():
    known = templates()
    assert (len(IN_FILES) > 60, len(OF_COMMANDS) > 30) == (True, True)
    assert [message for message in (*IN_FILES, *OF_COMMANDS) if not any(one.fullmatch(message) for one in known)] == []


# --- Explanation ------------------------------------------------------------------------------------------------------


def test_the_rule_of_decision_is_documented_with_every_code():
    from typing import get_args

    from judge.decision.rule import Code

    codes = re.findall(r"\| `(\w+)` \|$", (DOCS / "explanation/decision.md").read_text(), re.MULTILINE)
    assert sorted(codes) == sorted(get_args(Code))


def test_the_architecture_page_shows_the_rooms_in_the_order_that_is_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lines = [layer.replace(" :", ",") for layer in contracts[0]["layers"]]
    page = DOCS / "explanation/architecture.md"
    assert "\n".join(lines) + "\n" in [text for _, text in blocks(page)]
    rooms = {room for line in lines for room in line.split(", ")}
    assert rooms <= words(first_cells(sections(page)["Rooms"]))


def test_every_method_reason_and_basis_is_explained():
    from typing import get_args

    from judge.domain import Basis, Method, Reason, State

    known = words([prose(page) for page in PAGES])
    verdicts = sections(DOCS / "explanation/verdicts.md")
    assert words(first_cells(verdicts["Missing is not a tie"])) == set(get_args(Reason))
    assert set(get_args(Basis)) <= set(first_cells(verdicts["Both orders"]))
    assert {*get_args(Method), *get_args(State)} <= known


# --- All pages --------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors that a reader's page gives to headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("paper", PAGES, ids=name_of)
def test_links_lead_somewhere(paper):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(paper)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = (paper.parent / path).resolve() if path else paper
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_is_in_the_index():
    linked = {
        (DOCS / target.partition("#")[0]).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", prose(DOCS / "README.md"))
    }
    assert linked == {page.resolve() for page in DOCS.rglob("*.md")} - {DOCS / "README.md"}


@pytest.mark.parametrize("paper", PAGES, ids=name_of)
def test_pages_are_finished_and_name_no_place_of_one_machine(paper):
    text = paper.read_text()
    assert not re.search(r"\b(TODO|FIXME|TBD|XXX)\b", text)
    assert not re.search(r"(?<![\w.:/])/(home|root|work|tmp|usr|opt|Users)/", text)


def test_decisions_are_numbered_without_a_gap_and_hold_three_parts():
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        assert list(sections(page)) == ["Context", "Decision", "Consequences"], page.name
        assert page.read_text().startswith(f"# {page.name[:4]} ")


def test_shipped_rubrics_follow_their_own_advice():
    for path in shipped_rubrics().values():
        assert rubric_lint(parse_rubric(path.read_text())) == []


# --- Blocks that run --------------------------------------------------------------------------------------------------

NEXT = "@@ next block @@"
SAMPLES = REFERENCE / "python-api.md"


def shell(script: str, folder: Path) -> str:
    """Run a script as a reader would, with `judge` and `python` of this environment; give all that was printed."""
    kept = {name: value for name, value in os.environ.items() if name != "JUDGE_DB"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def script_of(paper: Path) -> list[str]:
    """The blocks of a page that run; the page of Python samples says in words how its files are made."""
    if paper != SAMPLES:
        return [text for language, text in blocks(paper) if language == "sh"]
    files = [f"judge export {kind} demo/study.yaml -o {kind}.jsonl\n" for kind in ("pairs", "labels", "calls")]
    samples = [f"python - <<'END'\n{text}END\n" for language, text in blocks(paper) if language == "python"]
    return ["judge demo\n", "".join(files), *samples]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the blocks of every page print, by page.  Pages run beside one another: a reader's minutes are long."""

    def run(paper: Path) -> list[str]:
        return shell(f"echo '{NEXT}'\n".join(script_of(paper)), tmp_path_factory.mktemp(paper.stem)).split(f"{NEXT}\n")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip([*RUN, SAMPLES], pool.map(run, [*RUN, SAMPLES]), strict=True))


def lacks(said: str, shown: str) -> str | None:
    """Give the first shown line that was not printed, in order; `...` stands for anything."""
    rest = iter(said.splitlines())
    for line in shown.splitlines():
        if line.strip() == "...":
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("...")))
        if not any(pattern.fullmatch(one.rstrip()) for one in rest):
            return line
    return None


@pytest.mark.parametrize("paper", [*RUN, SAMPLES], ids=name_of)
def test_the_blocks_of_a_page_print_what_it_shows(paper, printed):
    outputs = printed[paper]
    assert len(outputs) == len(script_of(paper)) > 1
    assert not any("Traceback" in text for text in outputs), outputs
    said = iter(outputs[2:] if paper == SAMPLES else outputs)
    last = ""
    for language, text in blocks(paper):
        if language in ("sh", "python"):
            last = next(said)
        elif language == "text":
            assert lacks(last, text) is None, last


def test_the_readme_shows_what_the_demo_prints(printed):
    shown = next(text for language, text in blocks(ROOT / "README.md") if language == "text")
    assert lacks(printed[SAMPLES][0], shown) is None
    assert (ROOT / "docs/images/report-light.png").stat().st_size < 150_000


def test_the_readme_begins_with_the_two_commands():
    set_up, test = (text.strip() for language, text in blocks(ROOT / "README.md") if language == "sh")
    assert set_up.endswith(".venv/bin/pip install -q --disable-pip-version-check -c constraints.txt . && .venv/bin/judge demo")
    assert "\n" not in set_up
    assert subprocess.run(["sh", "-n", "-c", set_up], check=False).returncode == 0
    assert test == "sh tests/run.sh"
