"""A study whose judge is the imitated provider, whose right answers are known, and an account of what must come of each call.

Every text holds a rank, and the model prefers the higher one: so a verdict that says anything else is silently wrong.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.provider_server import ProviderServer
from tests.studies import rows_of, small

KEY: Final = "IMITATED_KEY"
MODELS: Final = {"chat": "gpt-6-luna", "responses": "gpt-6-luna", "messages": "claude-haiku-5-5"}
_RANK: Final = re.compile(r"answer to (q\d+), rank (\d)")

# What each fault does to a call.  What is left out of these is read as if nothing had been wrong.
TRIED_AGAIN: Final = frozenset({
    "throttled", "stop_ramp", "limited", "error_500", "error_503", "error_529", "error_502_html", "hang", "reset_before",
    "reset_middle", "cut_body", "html_200", "empty_json", "broken_off",
})  # fmt: skip
PARKS: Final = frozenset({"throttled_long", "quota", "payment"})
STOPS: Final = frozenset({"unauthorized", "forbidden", "model_gone"})
FAILS: Final = frozenset({"bad_request", "too_large"})
FINAL: Final = {"refusal": "refused", "content_filter": "filtered", "filtered_prompt": "filtered", "length": "cut"}
UNREADABLE: Final = {
    "empty_text": "empty", "malformed_text": "malformed", "duplicate_keys": "contradictory", "nan": "malformed",
    "wrong_enum": "unknown_name", "missing_key": "absent",
}  # fmt: skip


def truth(n: int) -> str:
    """What the model thinks of the n-th pair: both outcomes and ties come equally often."""
    return ("b", "tie", "a")[n % 3]


def write_study(folder: Path, server: ProviderServer, pairs: int, dialect: str = "chat", **config: Any) -> Path:
    """Write a study of so many pairs; its judge's model has a price, its key is in IMITATED_KEY."""
    made = small([truth(n) for n in range(pairs)], judges=(), people=0)
    for arm, rows in made.outputs.items():
        for n, row in enumerate(rows):
            rank = n % 3 if arm == "base" else 1
            row["text"] = f"The {arm} answer to q{n}, rank {rank}"
    judge = {"anthropic" if dialect == "messages" else "openai": MODELS[dialect], "key_env": KEY}
    if dialect != "responses":  # OpenAI's own server is asked by its other dialect; the SDK's variable turns it to ours
        judge["base_url"] = server.url if dialect == "messages" else server.openai_url
    made.config = {"judges": {"live": judge}, "budget": "500 USD", **config}
    return made.write(folder)


@dataclass
class Model:
    """The model behind a server: answers by rank, and remembers which question came in which body."""

    questions: dict[str, tuple[str, str]] = field(default_factory=dict)  # by the body's digest: example, order
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, body: Mapping[str, Any]) -> str:
        words = json.dumps([body.get("input"), body.get("messages")], ensure_ascii=False)
        (example, first), (_, second) = _RANK.findall(words)
        order = "ab" if words.index("The base answer") < words.index("The tuned answer") else "ba"
        sent = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        with self._lock:
            self.questions[hashlib.sha256(sent).hexdigest()] = (example, order)
        choice = "tie" if first == second else "first" if first > second else "second"
        said = {"reasons": "The ranks say so.", "choice": choice}
        return json.dumps({"criteria": {"right": said}, "overall": said})


@dataclass(frozen=True)
class Expected:
    """What has to come of one question: its value, or None and the reason; and how many of its requests were of use."""

    value: str | None
    reason: str | None
    used: int


def expected(kinds: Iterable[str], value: str) -> Expected:
    """Follow what a question met, request by request, by the rules of the engine and of asking."""
    raised, unreadable, reason = False, None, "never answered"
    seen = list(kinds)
    for used, kind in enumerate(seen, 1):
        if kind in TRIED_AGAIN | PARKS | STOPS:
            continue
        if kind in FAILS:
            reason = "error"  # this time; the same command asks again
            continue
        if kind == "length" and not raised:
            raised = True
            continue
        if kind in UNREADABLE and unreadable is None:
            raised, unreadable, reason = False, UNREADABLE[kind], UNREADABLE[kind]
            continue
        if kind in UNREADABLE:
            return Expected(None, unreadable, used)
        if kind in FINAL:
            return Expected(None, FINAL[kind], used)
        return Expected(value, None, used)
    return Expected(None, reason, len(seen))


def met(server: ProviderServer, model: Model) -> dict[tuple[str, str], list[str]]:
    """What every question met in order of time; bodies that were never answered are nobody's.

    Anthropic's filter refuses: the two faults are one there.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for asked in sorted(server.requests, key=lambda asked: asked.at):
        if asked.digest in model.questions:
            refused = asked.kind == "content_filter" and asked.path == "/v1/messages"
            found[model.questions[asked.digest]].append("refusal" if refused else asked.kind)
    return found


def said(db: Path) -> dict[tuple[str, str, int], tuple[str | None, str | None]]:
    """What the study's readings say on `overall`: by example, order and repeat the value and the reason."""
    query = """SELECT json_extract(study_pair.example, '$.id'), ask.shown, ask.repeat, reading.value, reading.reason
               FROM reading JOIN ask ON ask.id = reading.ask JOIN study_pair ON study_pair.pair = ask.pair
               WHERE ask.criterion = 'overall'"""
    return {(example, order, repeat): (value, reason) for example, order, repeat, value, reason in rows_of(db, query)}


def reasons(readings: Mapping[Any, tuple[str | None, str | None]]) -> Counter[str]:
    """How often each reason leaves a reading without a value."""
    return Counter(str(reason) for value, reason in readings.values() if value is None)
