"""The verbs that every edge calls.

A study's files are read and joined (`sources`), brought into the workspace (`workspace`), judged (`compare`), measured
(`measure`), and reported (`reporting`); `running` walks the whole line.  `Study` and `agree` are the Python API.
"""

from judge.workflow import reviewing
from judge.workflow.agreeing import agree
from judge.workflow.answering import JOBS, Progress, Tally
from judge.workflow.bridging import build_bridge
from judge.workflow.checking import Checked
from judge.workflow.compare import Compared
from judge.workflow.contact import call_providers
from judge.workflow.doctor import Finding, examine
from judge.workflow.exchange import export_rows, import_files, write_rows
from judge.workflow.facade import Study
from judge.workflow.links import join_link
from judge.workflow.planted import Examined, Planned, examine_judge, plan_examination
from judge.workflow.running import Ran, default_path, form_of, reports, run, write_report
from judge.workflow.scoring import Scored, score
from judge.workflow.serving import Owner
from judge.workflow.showing import prompts, show
from judge.workflow.showing import to_json as shown_to_json
from judge.workflow.starting import demo, init

__all__ = [
    "JOBS",
    "Checked",
    "Compared",
    "Examined",
    "Finding",
    "Owner",
    "Planned",
    "Progress",
    "Ran",
    "Scored",
    "Study",
    "Tally",
    "agree",
    "build_bridge",
    "call_providers",
    "default_path",
    "demo",
    "examine",
    "examine_judge",
    "export_rows",
    "form_of",
    "import_files",
    "init",
    "join_link",
    "plan_examination",
    "prompts",
    "reports",
    "reviewing",
    "run",
    "score",
    "show",
    "shown_to_json",
    "write_report",
    "write_rows",
]
