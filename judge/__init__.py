"""blind-judge: did the fine-tune help, and can the judge that says so be trusted?

from judge import Study, agree
study = Study.open("study.yaml")
study.run()
print(study.report().decision.sentence)
agree(pairs="pairs.jsonl", labels="labels.jsonl", calls="calls.jsonl")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from judge.workflow.agreeing import agree
    from judge.workflow.facade import Study

__all__ = ["Study", "agree"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loaded on first use: `import judge` costs nothing.
    if name == "Study":
        from judge.workflow.facade import Study

        return Study
    if name == "agree":
        from judge.workflow.agreeing import agree

        return agree
    raise AttributeError(f"module 'judge' has no attribute {name!r}")
