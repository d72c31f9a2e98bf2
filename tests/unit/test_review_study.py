"""A review inside a study: what is drawn, what its texts betray, and which labels reach which number."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from judge import Study, access, desk
from judge.decision.report import to_json
from judge.errors import JudgeError, StateError
from judge.workflow import reviewing
from tests.studies import ledger, rows_of, small, ticking

VALUES = ("b", "b", "tie", "a", "b", "b", "b", "a")


class Reviewed:
    """A study whose people come in by links and vote."""

    def __init__(self, folder, draft):
        self.folder, self.clock = folder, ticking()
        self.path = draft.write(folder)
        self.study = Study.open(self.path, clock=self.clock)
        self.votes = 0

    def sample(self, **how):
        with self.study.work() as work:
            return reviewing.sample(work, **how)

    def close(self, **how):
        with self.study.work() as work:
            return reviewing.close(work, **how)

    def status(self):
        with self.study.work() as work:
            return reviewing.status(work)

    def join(self, name):
        with self.study.work() as work, work.database.write() as tx:
            link = access.invite(tx, "small", "annotator", self.clock())
            return access.redeem(tx, link, name, None, self.clock()).person

    def judge(self, person, prefer="newer", most=99):
        """Vote on what lies on the desk, for the answer that begins so."""
        with self.study.work() as work:
            for _ in range(most):
                with work.database.write() as tx:
                    task = desk.open_desk(tx, "small", person, self.clock()).current
                    if task is None:
                        return
                    self.votes += 1
                    choice = "left" if prefer in task.left else "right"
                    answers = desk.Answers(choice=choice, criteria={"right": choice})
                    vote = desk.Vote(task=task.token, client_id=f"c{self.votes}", answers=answers)
                    desk.vote(tx, "small", person, vote, self.clock())

    def opened(self):
        """The labels of closed rounds on the whole pair."""
        with self.study.work() as work:
            return [label for label in reviewing.round_labels(work).closed if label.criterion == "overall"]

    def unblind(self, person):
        with self.study.work() as work, work.database.write() as tx:
            access.note(tx, "small", access.UNBLINDING, self.clock, {"by": "report"}, person)

    def report(self):
        return to_json(self.study.run().reports[0])

    def events(self, kind):
        return [what for name, what in ledger(self.folder / ".judge" / "judge.db") if name == kind]

    def shown(self):
        return rows_of(self.folder / ".judge" / "judge.db", "SELECT left, right FROM task WHERE seat = 0")


@pytest.fixture
def reviewed(tmp_path):
    def make(draft=None):
        draft = draft or small(VALUES, people=0)
        draft.config = {"review": {"sample": 4, "labels_per_item": 2, "seats": 4}} | draft.config
        return Reviewed(tmp_path, draft)

    return make


def warnings(report):
    return {warning["code"]: warning["text"] for warning in report["agreement"]["warnings"]}


# --- What reaches which number ---------------------------------------------------------------------------------------


def test_of_an_open_round_only_the_interim_total_is_seen_and_the_look_is_noted(reviewed):
    here = reviewed()
    here.sample()
    here.judge(here.join("Ann"))
    report = here.report()
    assert (report["agreement"]["people"], report["agreement"]["source"]["labels"]) == (None, 0)
    assert report["agreement"]["win_rate"]["people"]["n"] == 0
    assert report["primary"]["n"] > 0
    assert (report["decision"]["outcome"], report["decision"]["interim"]) == ("undecided", True)
    (look,) = here.events("look")
    assert look == {"round": here.status()["round"]}
    assert "Ann" not in json.dumps(report)


def test_counting_labels_is_no_look(reviewed):
    here = reviewed()
    here.sample()
    here.judge(here.join("Ann"), most=3)
    assert here.status()["annotators"] == [{"id": "Ann", "labels": 3}]
    assert (here.status()["labels"], here.status()["planned"], here.status()["state"]) == (3, 8, "open")
    assert here.events("look") == []


def test_a_closed_round_is_measured_like_any_labels(reviewed):
    here = reviewed()
    here.sample()
    for name in ("Ann", "Bob"):
        here.judge(here.join(name))
    assert here.close() == (8, 0)
    report = here.report()
    people = report["agreement"]["people"]
    assert (people["items"], people["annotators"], people["labels"]) == (4, 2, 8)
    assert people["alpha"]["nominal"]["n"] == 4
    assert report["primary"]["value"] > 0.9
    assert not report["decision"]["interim"]
    assert {what["labels"] for what in here.events("close")} == {8}


@pytest.mark.parametrize("looked", [False, True])
def test_labels_that_are_missing_at_closing_are_forgiven_only_without_a_look(reviewed, looked):
    here = reviewed()
    here.sample()
    here.judge(here.join("Ann"))
    if looked:
        here.report()
    with pytest.raises(StateError, match="4 of 8 planned labels are missing"):
        here.close()
    assert here.close(incomplete=True) == (4, 4)
    assert here.report()["decision"]["interim"] is looked


def test_simulated_labels_leave_once_one_real_label_was_opened(reviewed):
    draft = small(VALUES)
    for row in draft.labels:
        row["flags"] = ["simulated"]
    here = reviewed(draft)
    before = here.report()
    assert before["agreement"]["people"]["labels"] == 16
    assert "simulated" in warnings(before)
    here.sample(n=1, labels=1)
    here.judge(here.join("Ann"))
    here.close()
    after = here.report()
    assert after["agreement"]["win_rate"]["people"]["n"] == 1
    assert warnings(after)["simulated_left_out"].startswith("16 labels")


def test_what_somebody_says_after_seeing_the_arms_is_left_out_and_said_so(reviewed):
    here = reviewed()
    here.sample()
    ann, bob = here.join("Ann"), here.join("Bob")
    here.judge(ann, most=2)
    here.unblind(ann)
    here.judge(ann)
    here.judge(bob)
    here.close()
    report = here.report()
    assert report["agreement"]["people"]["labels"] == 6
    assert warnings(report)["unblinded_left_out"].startswith("4 labels")  # overall and one criterion, of two pairs


def test_opened_labels_know_their_side_and_the_probability_of_their_pair(reviewed):
    here = reviewed()
    here.sample()
    here.judge(here.join("Ann"))
    here.close(incomplete=True)
    labels = here.opened()
    assert len(labels) == 4
    assert {(label.probability, label.choice, label.annotator) for label in labels} == {(0.5, "b", "Ann")}
    assert Counter(label.left for label in labels) == {"a": 2, "b": 2}


def test_every_later_round_goes_on_where_the_last_one_ended(reviewed):
    here = reviewed()
    drawn = []
    for _ in range(2):
        here.sample()
        here.close(incomplete=True)
        drawn.append({frozenset(texts) for texts in here.shown()})
    assert len(drawn[0]) == 4
    assert len(drawn[1]) == 8
    with pytest.raises(StateError, match="nothing left to draw"):
        here.sample()


def test_extending_by_nothing_is_refused(reviewed):
    here = reviewed()
    here.sample()
    with here.study.work() as work, pytest.raises(JudgeError, match="Give --n or --seats"):
        reviewing.extend(work)


# --- What betrays an arm ---------------------------------------------------------------------------------------------


@pytest.fixture
def betraying(reviewed):
    """Two of eight pairs betray an arm: one names its model, one holds a token of its template."""
    draft = small(VALUES, people=0)
    draft.outputs["tuned"][1]["text"] = "I am ChatGPT, a large language model. Yes."
    draft.outputs["base"][1]["text"] = "I am ChatGPT too, says the other."
    draft.outputs["base"][2]["text"] = "Yes.<|im_end|>"
    draft.config = {"review": {"sample": 8, "labels_per_item": 1, "seats": 2}}
    return reviewed(draft)


def codes(made):
    return {notice.code: notice.text for notice in made.notices}


def test_texts_that_betray_an_arm_are_reported_and_shown_as_they_are(betraying):
    made = betraying.sample()
    text = "2 of 8 pairs hold a text that names its model or has template debris; shown as they are."
    assert codes(made) == {"betraying_texts": text}
    assert made.drawn.items == 8
    assert sum("ChatGPT" in left + right for left, right in betraying.shown()) == 1


def test_pairs_that_betray_an_arm_are_left_out_on_request(betraying):
    made = betraying.sample(policy="exclude")
    assert "left out of the round" in codes(made)["betraying_texts"]
    assert made.drawn.items == 6
    assert not any("ChatGPT" in text or "im_end" in text for texts in betraying.shown() for text in texts)


def test_what_betrays_an_arm_is_masked_on_both_sides_on_request(betraying):
    made = betraying.sample(policy="mask")
    assert "masked on both sides" in codes(made)["betraying_texts"]
    assert made.drawn.items == 8
    texts = [texts for texts in betraying.shown() if any(reviewing.MASK in text for text in texts)]
    assert not any("ChatGPT" in text or "im_end" in text for pair in betraying.shown() for text in pair)
    assert sorted(sum(reviewing.MASK in text for text in pair) for pair in texts) == [1, 2]


def test_masked_texts_are_judged_and_opened_like_others(betraying):
    betraying.sample(policy="mask")
    betraying.judge(betraying.join("Ann"))
    assert betraying.close() == (8, 0)
    assert len(betraying.opened()) == 8


def test_texts_that_betray_nothing_are_not_spoken_of(reviewed):
    assert reviewed().sample().notices == ()


@pytest.mark.parametrize(
    ("words", "named"),
    [("Is it better than Tuned?", ["tuned"]), ("Base, or tuned.", ["base", "tuned"]), ("Is it well tunedish?", [])],
)
def test_a_rubric_that_names_an_arm_is_warned_of(reviewed, words, named):
    draft = small(VALUES, people=0)
    draft.rubric["criteria"]["right"]["question"] = words
    text = codes(reviewed(draft).sample()).get("arm_named_in_rubric", "")
    assert text.endswith(f": {', '.join(named)}.") if named else text == ""
