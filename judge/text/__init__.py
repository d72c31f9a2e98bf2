"""Model text in; safe HTML, differences, lengths and findings about the text out.

Every text is hostile until proven otherwise: nothing that `to_html` returns can run, load, submit or restyle anything.
"""

from judge.text.code import code_css
from judge.text.compare import Length, Operation, length, word_diff
from judge.text.findings import Finding, findings, masked
from judge.text.render import finalized, to_html
from judge.text.unicode import well_formed

__all__ = [
    "Finding",
    "Length",
    "Operation",
    "code_css",
    "finalized",
    "findings",
    "length",
    "masked",
    "to_html",
    "well_formed",
    "word_diff",
]
