"""The verbs that every edge calls.

A study's files are read and joined (`sources`), brought into the workspace (`workspace`), judged (`compare`), measured
(`measure`), and reported (`reporting`); `running` walks the whole line.  `Study` and `agree` are the Python API.
"""

from judge.workflow import reviewing
from judge.workflow.agreeing import agree
from judge.workflow.answering import JOBS, Progress, Tally
from judge.workflow.checking import Checked
from judge.workflow.compare import Compared
from judge.workflow.doctor import Finding, examine
from judge.workflow.exchange import export_rows, import_files, write_rows
from judge.workflow.facade import Study
from judge.workflow.links import join_link
from judge.workflow.running import Ran, default_path, form_of, reports, run, write_report
from judge.workflow.serving import Owner
from judge.workflow.showing import prompts, show
from judge.workflow.showing import to_json as shown_to_json
from judge.workflow.starting import demo, init

__all__ = [
    "JOBS",
    "Checked",
    "Compared",
    "Finding",
    "Owner",
    "Progress",
    "Ran",
    "Study",
    "Tally",
    "agree",
    "default_path",
    "demo",
    "examine",
    "export_rows",
    "form_of",
    "import_files",
    "init",
    "join_link",
    "prompts",
    "reports",
    "reviewing",
    "run",
    "show",
    "shown_to_json",
    "write_report",
    "write_rows",
]
