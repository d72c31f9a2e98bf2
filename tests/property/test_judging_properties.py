"""What holds of live judging whatever is edited, broken off or asked differently between two runs of its command."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from judge import Study
from judge.domain import OVERALL
from judge.errors import Parked
from judge.workflow.resolving import judged
from tests.calls_study import KEY
from tests.provider_server import ProviderServer
from tests.studies import small

PAIRS = 4
CRITERIA = ("right", OVERALL)
MODELS = {"gpt-6-luna": 1, "gpt-6-sol": -1}  # they say the opposite, so that no answer of one may pass for the other's
WISHES = {"higher": 1, "lower": -1}
STUDIES = st.sampled_from(("study", "other"))
RANKS = st.integers(0, 2)
RANK = re.compile(r"The (base|tuned) answer, rank (\d)")
PASSING = ("error_500", "reset_middle", "malformed_text", "payment")  # what a run meets, and what the next one makes good


def preferred(base: int, tuned: int, sign: int) -> str:
    """Which text is the better one: a the base's, b the tuned one's."""
    lead = (tuned - base) * sign
    return "b" if lead > 0 else "a" if lead < 0 else "tie"


def model(body):
    """Answer by rank as the rubric wishes, about whatever is asked."""
    form = body["response_format"]["json_schema"]["schema"]["properties"]
    words = json.dumps(body["messages"])
    (first, left), (_, right) = RANK.findall(words)
    sign = MODELS[body["model"]] * next(WISHES[wish] for wish in WISHES if f"the {wish} rank" in words)
    base, tuned = (left, right) if first == "base" else (right, left)
    shown = {"a": "first", "b": "second", "tie": "tie"} if first == "base" else {"a": "second", "b": "first", "tie": "tie"}
    said = {"reasons": "By rank.", "choice": shown[preferred(int(base), int(tuned), sign)]}
    asked = form.get("criteria", {}).get("properties", {})
    return json.dumps({"criteria": dict.fromkeys(asked, said)} | ({"overall": said} if "overall" in form else {}))


@dataclass
class Wanted:
    """What a study file says of its judges and its rubric now."""

    wish: str = "higher"
    repeats: int = 1
    per_call: str = "all"
    second: bool = False

    @property
    def signs(self):
        """What each judge makes of a lead in rank."""
        names = {"live": "gpt-6-luna"} | ({"second": "gpt-6-sol"} if self.second else {})
        return {name: MODELS[kind] * WISHES[self.wish] for name, kind in names.items()}

    def calls(self, pairs):
        """How many calls a run plans."""
        return pairs * 2 * (self.repeats * (len(CRITERIA) if self.per_call == "one" else 1) + self.second)


class LiveJudging(RuleBasedStateMachine):
    """Two studies of one database with the same outputs, judged by models that are asked over HTTP."""

    server: ProviderServer

    @initialize(ranks=st.lists(RANKS, min_size=2 * PAIRS, max_size=2 * PAIRS))
    def begin(self, ranks):
        self.folder = Path(tempfile.mkdtemp())
        self.ranks = {(arm, n): ranks.pop() for arm in ("base", "tuned") for n in range(PAIRS)}
        self.wanted = {"study": Wanted(), "other": Wanted(wish="lower")}
        self.most_repeats = 1
        self.known = {study: {} for study in self.wanted}
        self.server.requests.clear()
        self._write()

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(arm=st.sampled_from(("base", "tuned")), n=st.integers(0, PAIRS - 1), rank=RANKS)
    def edit_an_output(self, arm, n, rank):
        self.ranks[arm, n] = rank
        self._forget(lambda judge, pair: pair == f"q{n}/tuned")
        self._write()

    @rule(study=STUDIES, wish=st.sampled_from(tuple(WISHES)))
    def edit_a_rubric(self, study, wish):
        self.wanted[study].wish = wish
        self._forget(lambda judge, pair: True, study)
        self._write()

    @rule(study=STUDIES, repeats=st.integers(1, 2), per_call=st.sampled_from(("all", "one")), second=st.booleans())
    def edit_the_judges(self, study, repeats, per_call, second):
        wanted = self.wanted[study]
        same = (wanted.repeats, wanted.per_call) == (repeats, per_call)
        self._forget(lambda judge, pair: not (second if judge == "second" else same), study)
        wanted.repeats, wanted.per_call, wanted.second = repeats, per_call, second
        self._write()

    @rule(study=STUDIES, limit=st.none() | st.integers(1, PAIRS - 1))
    def compare(self, study, limit):
        done = self._study(study).compare(limit=limit)
        assert (done.calls, done.answered) == (self.wanted[study].calls(limit or PAIRS),) * 2
        self._look(study, limit)
        self._asks_nothing_more(study, limit)

    @rule(study=STUDIES, fault=st.sampled_from(PASSING), share=st.sampled_from((0.3, 1.0)))
    def compare_while_the_provider_fails(self, study, fault, share):
        share = 0.1 if fault in ("error_500", "reset_middle") else share  # these are asked for again until they answer
        self.server.faults = {fault: share}
        try:
            self._study(study).compare()
        except Parked:
            assert fault == "payment"
        finally:
            self.server.faults = {}

    @rule(study=STUDIES)
    def retry(self, study):
        self._study(study).compare()  # what was not asked at all
        self._study(study).compare(retry=True)
        found = self._look(study, None)
        assert set(found.values()) <= {"a", "b", "tie"}, "something stayed unscored although it was asked once more"
        self._asks_nothing_more(study, None)

    @rule(study=STUDIES)
    def read_again(self, study):
        sent = len(self.server.requests)
        self._study(study).compare(reparse=True)
        assert len(self.server.requests) == sent

    @invariant()
    def nothing_that_was_answered_was_asked_again(self):
        answers = Counter(one.digest for one in self.server.requests if one.kind == "ok")
        assert max(answers.values(), default=0) <= self.most_repeats

    @invariant()
    def what_is_there_is_right(self):
        for study in self.wanted:
            found = self._look(study, None, partly=True)
            lost = {cell for cell, value in self.known[study].items() if value is not None and found.get(cell) is None}
            assert not lost, "what was said is no longer there although nothing was edited"
            self.known[study] = found

    def _look(self, study, limit, *, partly=False):
        """Every value is right for the texts, the rubric and the judges of today.  partly: not all need be there."""
        with self._study(study).work(limit=limit) as work:
            found = {(v.judge, v.criterion, v.pair): v.value for v in judged(work)[1] if v.judge in work.judges}
            reasons = {v.reason for v in judged(work)[1] if v.judge in work.judges and v.value is None}
            looked_at = {pair.id: self._truth(pair.example.id) for pair in work.sources.pairs}
        expected = {
            (judge, criterion, pair): preferred(*ranks, sign)
            for judge, sign in self.wanted[study].signs.items()
            for criterion in CRITERIA
            for pair, ranks in looked_at.items()
        }
        assert len(looked_at) == (limit or PAIRS)
        assert set(found) <= set(expected) if partly else set(found) == set(expected)
        assert all(value in (expected[cell], None) for cell, value in found.items()), (found, expected)
        assert reasons <= {"malformed", "one_order"} or partly, reasons
        return found

    def _truth(self, example):
        return [self.ranks[arm, int(example.removeprefix("q"))] for arm in ("base", "tuned")]

    def _asks_nothing_more(self, study, limit):
        sent = len(self.server.requests)
        done = self._study(study).compare(limit=limit)
        assert (len(self.server.requests), done.from_journal) == (sent, done.calls)

    def _study(self, name):
        return Study.open(self.folder / f"{name}.yaml")

    def _forget(self, which, *studies):
        """Expect no longer what was said of these cells."""
        for study in studies or self.known:
            self.known[study] = {(j, c, p): value for (j, c, p), value in self.known[study].items() if not which(j, p)}

    def _write(self):
        made = small(["tie"] * PAIRS, judges=(), people=0)
        for arm, rows in made.outputs.items():
            for n, row in enumerate(rows):
                row["text"] = f"The {arm} answer, rank {self.ranks[arm, n]}"
        for name, wanted in sorted(self.wanted.items()):  # "other" before "study", whose name is what is written
            self.most_repeats = max(self.most_repeats, wanted.repeats)
            wish = f"Which answer has the {wanted.wish} rank?"
            made.rubric["overall"] = made.rubric["criteria"]["right"]["question"] = wish
            model = {"openai": "gpt-6-luna", "base_url": self.server.openai_url, "key_env": KEY}
            judges = {"live": {**model, "repeats": wanted.repeats, "per_call": wanted.per_call}}
            judges |= {"second": {**model, "openai": "gpt-6-sol"}} if wanted.second else {}
            made.config = {"name": name, "judges": judges, "rubric": f"{name}-rubric.yaml", "budget": "500 USD"}
            made.write(self.folder).rename(self.folder / f"{name}.yaml")
            (self.folder / "rubric.yaml").rename(self.folder / f"{name}-rubric.yaml")


@pytest.fixture(scope="module")
def server():
    with ProviderServer(answer=model) as running:
        yield running


def test_whatever_is_edited_between_runs_every_verdict_is_todays_and_nothing_is_asked_twice(server, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    LiveJudging.server = server
    LiveJudging.TestCase.settings = settings(
        max_examples=15,
        stateful_step_count=12,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making a case smaller would take minutes
        suppress_health_check=list(HealthCheck),
    )
    LiveJudging.TestCase("runTest").runTest()
