"""Agreement and Evidence and gates in, Decision and report out."""

from judge.decision.rule import decide
from judge.decision.standing import Guard, Standing

__all__ = ["Guard", "Standing", "decide"]
