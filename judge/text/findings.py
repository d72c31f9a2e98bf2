"""What stands in an answer that should not: template debris, the model naming itself, words meant for the judge."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal, NamedTuple, TypeAlias

Code: TypeAlias = Literal["empty", "debris", "self_naming", "addresses_judge"]

SNIPPET: Final = 80  # characters of a snippet


class Finding(NamedTuple):
    """One thing found in a text: a stable code, and the place itself, shortened."""

    code: Code
    snippet: str


_I_AM: Final = r"\bI(?:'m| am|’m)"
_MODELS: Final = r"(?:chat ?gpt|gpt-?\d[\w.]*|claude|gemini|llama|mistral|qwen|deepseek|gemma|grok|copilot|vicuna|alpaca)"

_MAKERS: Final = r"(?:OpenAI|Anthropic|Google|DeepMind|Meta AI|Meta|Mistral AI|Alibaba|Microsoft|DeepSeek|xAI)"

# Template debris: tokens and headers of chat templates that should have ended the answer or never have been in it.
_DEBRIS: Final = (
    r"<\|[\w ]{2,40}\|>",
    r"\[/?INST\]",
    r"<</?SYS>>",
    r"</?(?:start|end)_of_turn>",
    r"</?s>(?=\s|$)",
    r"<unk>|<pad>|<eos>|<bos>|<mask>",
    r"^#{2,4} ?(?:Instruction|Response|Input|Human|Assistant|User|System) ?:",
    r"(?:^|\n)(?:Human|User|Assistant|System|USER|ASSISTANT|HUMAN|SYSTEM) ?:[ \t]*(?=\n|$)",
    r"\n(?:Human|User|USER|HUMAN) ?: ",
    r"</?think>",
    r"\{\{ ?[a-z_]+ ?\}\}",
)
_SELF_NAMING: Final = (
    r"\bas an? (?:large |helpful )?(?:AI|artificial intelligence)(?: language)?(?: model| assistant)?\b(?=,| I\b)",
    r"\bas an? (?:AI |large )*language model\b",
    r"\bas an? (?:fine-?tuned|instruction-?tuned|pre-?trained)(?: \w+)? model\b",
    rf"{_I_AM} (?:called |named )?{_MODELS}\b",
    rf"\bmy name is {_MODELS}\b",
    rf"{_I_AM} an? (?:large |helpful )?(?:AI|artificial intelligence|language)(?: language)? (?:model|assistant)\b",
    r"\bI(?:'ve| have| was|'m| am|’ve|’m) (?:been )?(?:fine-?tuned|trained) (?:on|by)\b",
    rf"\b(?:created|developed|made|trained) by {_MAKERS}\b",
)
_ADDRESSES_JUDGE: Final = (
    r"\b(?:ignore|disregard|forget) (?:all |any |the )*(?:previous|prior|above|earlier|preceding) (?:\w+ )?"
    r"(?:instructions?|prompts?|rules|messages?)",
    r"\[\[(?:[ABC]|[AB]>{1,2}[AB]|A=B|tie)\]\]",
    r"\b(?:rating|score)\W{0,3}\[\[\d{1,2}\]\]",
    r"\b(?:choose|pick|select|prefer|vote for|rate|favou?r) (?:the |this |my )?(?:(?:first|second|left|right) "
    r"(?:answer|response|reply|output|assistant)|(?:answer|response|assistant) [AB])\b",
    r"\bdear (?:judge|evaluator|grader|annotator|reviewer)\b",
    r"\b(?:note|message|attention|instructions?) (?:to|for) (?:the |any )?(?:judge|evaluator|grader|annotator)s?\b",
    r"\bas (?:the|an?|my|our) (?:judge|evaluator|grader|annotator),? you (?:must |should |will |have to |need to )?"
    r"(?:give|pick|choose|select|prefer|award|rate|score|vote)\b",
    r"\bthe (?:evaluator|grader|annotator) (?:should|must|has to) "
    r"(?:pick|choose|select|prefer|(?:give|award) (?:it|me|this|the|a|an)? ?(?:full|highest|maximum|top|perfect))\b",
    # The fence of the question, which an answer may try to close.
    r"<[^\w\n]?<[^\w\n]?<[^\w\n]{0,2}(?:\w{1,40}[^\w\n]{1,3})?(?:end|first|second|request|reference)[^\w\n]{0,3}>[^\w\n]?>[^\w\n]?>",
    r"\b(?:this|my) (?:answer|response|reply|output) (?:is|should be) (?:clearly |definitely |rated |scored |judged )*"
    r"(?:the )?(?:better|best|winner|superior)\b",
    r"\bgive (?:this|it|me|my (?:answer|response)) (?:a |the )?(?:full|highest|maximum|top|perfect|10/10|5/5)\b",
    r"\"(?:choice|winner|verdict|preference)\"\s*:\s*\"(?:first|second|[AB]|tie)\"",
)

_PATTERNS: Final[tuple[tuple[Code, re.Pattern[str]], ...]] = (
    ("debris", re.compile("|".join(_DEBRIS), re.MULTILINE)),
    ("self_naming", re.compile("|".join(_SELF_NAMING), re.IGNORECASE)),
    ("addresses_judge", re.compile("|".join(_ADDRESSES_JUDGE), re.IGNORECASE)),
)


def findings(text: str) -> tuple[Finding, ...]:
    """List what in an answer may give an arm away or move a judge, each place once, in order of code and appearance.

    Signs, not proofs: a text about language models may say the same words and be innocent.
    """
    if not text.strip():
        return (Finding("empty", ""),)
    found: dict[Finding, None] = {}
    for code, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            found.setdefault(Finding(code, " ".join(match[0].split())[:SNIPPET]))
    return tuple(found)


def masked(text: str, codes: Collection[str], mask: str) -> str:
    """Put a mask in the place of everything that is found under these codes."""
    for code, pattern in _PATTERNS:
        if code in codes:
            text = pattern.sub(lambda _: mask, text)
    return text
