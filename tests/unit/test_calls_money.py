"""Money: a cap that is never passed, prices that are known or unknown but never guessed, and costs at their worst."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.calls import Budget, Price, Request, Usage, prices
from judge.calls.lane import Call, Lane
from judge.calls.pacing import Pacer
from judge.calls.prices import PriceList
from judge.domain import Message
from judge.errors import FileError, Parked
from judge.store import calls as store
from judge.store.calls import Intent, Outcome, Sent, Spent
from judge.store.opening import open_database

PRICE = Price(tokens_in=2, tokens_out=10, cached=0.2, write=2.5)
STEPS = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.floats(0, 3)), max_size=60)


# --- The cap ----------------------------------------------------------------------------------------------------------


@given(cap=st.floats(0, 10), steps=STEPS)
def test_spent_and_reserved_never_pass_the_cap_whatever_is_asked_and_settled(cap, steps):
    budget, reserved = Budget(cap=cap), {}
    for call, settles, amount in steps:
        if settles and call in reserved:
            budget.settle(call, min(amount, reserved.pop(call)))  # no try costs more than its worst case
        elif call not in reserved:
            try:
                budget.reserve(call, amount)
            except Parked:
                assert budget.spent + budget.reserved + amount > cap
            else:
                reserved[call] = amount
        assert budget.spent + budget.reserved <= cap + 1e-9
        assert budget.reserved == pytest.approx(sum(reserved.values()))


def test_a_full_budget_says_what_is_spent_and_what_to_do():
    budget = Budget(cap=1.0)
    budget.reserve("a", 0.6)
    budget.settle("a", 0.5)
    with pytest.raises(Parked, match=r"1 USD has no room for a call of up to 0\.6 USD: 0\.5 are spent") as parked:
        budget.reserve("b", 0.6)
    assert parked.value.exit_code == 3
    assert "budget:" in str(parked.value)


def test_no_cap_caps_nothing():
    budget = Budget(cap=None)
    budget.reserve("a", 1e9)
    assert budget.reserved == 1e9


# --- Prices -----------------------------------------------------------------------------------------------------------


def test_a_dated_snapshot_costs_what_its_name_does(own_prices):
    assert prices().find("gpt-6.1-sol-2026-10-01") == prices().find("gpt-6.1-sol")
    assert prices().find("claude-haiku-4-5-20251001") == prices().find("claude-haiku-4-5")


def test_the_longest_name_wins_and_no_other_model_is_taken_for_it():
    one, other = Price(tokens_in=1, tokens_out=1), Price(tokens_in=2, tokens_out=2)
    listed = PriceList(of=date(2026, 11, 23), models={"m": one, "m-2": other})
    assert listed.find("m-2-2026-01-01") is other
    assert listed.find("m-20260101") is one
    assert listed.find("m-mini") is None
    assert listed.find("M") is None


def test_an_unknown_model_has_no_price_and_a_retired_one_no_cost(own_prices):
    assert prices().find("a-model-of-tomorrow") is None
    retired = prices().find("gpt-4")
    assert retired is not None
    assert retired.retires == date(2026, 10, 23)
    assert retired.cost(fresh=1, cached=0, written=0, out=1) is None


def test_ones_own_prices_stand_over_the_list(own_prices):
    own_prices("date: 2026-12-01\nmodels:\n  gpt-6-luna: {in: 7, out: 8}\n  mine: {in: 0, out: 0}\n")
    listed = prices()
    assert listed.of == date(2026, 12, 1)
    assert listed.models["gpt-6-luna"] == Price(tokens_in=7, tokens_out=8)
    assert listed.models["mine"].cost(fresh=10**6, cached=0, written=0, out=10**6) == 0
    assert "claude-haiku-5-5" in listed.models


def test_ones_own_price_leaves_the_day_on_which_a_model_ends(own_prices):
    own_prices("date: 2026-12-01\nmodels:\n  gpt-4: {in: 7, out: 8}\n  gpt-4-2: {in: 7, out: 8, retires: 2026-12-24}\n")
    known = prices().models
    assert (known["gpt-4"].retires, known["gpt-4-2"].retires) == (date(2026, 10, 23), date(2026, 12, 24))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ": must be a mapping. Write `date:"),
        ("[]", ": must be a mapping. Write `date:"),
        ("just words", ": must be a mapping. Write `date:"),
        ("models: [", ":1: broken YAML: "),
        ("models: \t\x01", ": is no YAML. "),
        ("date: 2026-11-01\nmodels:\n  m: {in: 1}\n  m: {in: 2}\n", ":4: models.m: stands twice. "),
        ("models: {m: {in: 1, out: 2}}", ": date: is missing"),
        ("date: 2026-11-01", ": models: must be a mapping. "),
        ("date: 2026-11-01\nmodels: {m: 3}", ":2: models.m: must be a mapping. "),
        ("date: 2026-11-01\nmodels:\n  m: {in: free, out: 1}", ":3: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels:\n  m:\n    in: -1\n", ":4: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: true}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: .nan, out: 1}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {inn: 1, out: 1}}", ":2: models.m.inn: unknown key. Did you mean 'in'?"),
        ("date: 2026-11-01\nmodels: {m: {retires: soon}}", ":2: models.m.retires: is no day. "),
        ("date: 2026-11-01\nmodels: {m: {retires: 2026-12-01 10:00:00}}", ":2: models.m.retires: is no day. "),
        ("date: 2026-11-01 10:00:00\nmodels: {m: {in: 1, out: 1}}", ":1: date: is no day. "),
        (f"date: 2026-11-01\nmodels: {{m: {{in: {'9' * 400}}}}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: [1]}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: &x true}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {<<: {a: {in: 1}}, b: {in: 1}}", ":2: models.<<.a: unknown key. "),
        ("date: 2026-11-01\nmodels: {b: {<<: {in: 1}}}", ":2: models.b.<<: unknown key. "),
        ("date: 2026-11-01\nmodels: !!omap [m: {in: 1}]", ":2: models: must be a mapping. "),
        ("date: 2026-11-01\nmodels: {[m]: {in: 1}}", ":2: models.a key: must be a text. "),
        ("date: 2026-11-01\nmodels: {m: {in: '1'}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: \u0661}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: !!null 3}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: !!int {}}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {in: 1e308, out: 1}}", ":2: models.m.in: is no number of US dollars. "),
        ("date: 2026-11-01\nmodels: {m: {out: 1}}", ":2: models.m.in: is missing beside the other prices. "),
        ("date: 2026-11-01\nmodels: {m: {in: 1, out: null}}", ":2: models.m.out: is missing beside the other prices. "),
        ("date: 2026-11-01\nmodels: {m: {cached: 1}}", ":2: models.m.in: is missing beside the other prices. "),
        ("date: 2026-W01\nmodels: {m: {in: 1, out: 1}}", ":1: date: is no day. "),
        ("date: someday\nmodels: {m: {in: 1, out: 1}}", ":1: date: is no day. "),
        ("date: 2026-11-01\nmodel: {}", ":2: model: unknown key. Did you mean 'models'?"),
    ],
)
def test_a_list_of_another_form_is_refused_with_line_and_key(own_prices, text, words):
    path = own_prices(text)
    with pytest.raises(FileError) as refused:
        prices()
    line = str(refused.value)
    assert line.startswith(f"{path}{words}")
    assert "\n" not in line


def test_a_list_that_is_not_there_is_named(own_prices, monkeypatch, tmp_path):
    monkeypatch.setenv("JUDGE_PRICES", str(tmp_path / "none.yaml"))
    with pytest.raises(FileError, match=r"none\.yaml: cannot be read: No such file or directory. Correct JUDGE_PRICES"):
        prices()


def test_cached_and_written_tokens_have_their_own_price_or_the_full_one():
    assert PRICE.cost(fresh=10**6, cached=10**6, written=10**6, out=10**6) == pytest.approx(2 + 0.2 + 2.5 + 10)
    plain = Price(tokens_in=2, tokens_out=10)
    assert plain.cost(fresh=0, cached=10**6, written=10**6, out=0) == pytest.approx(4)


# --- What a call costs, and at most -----------------------------------------------------------------------------------


def call(text, **more):
    request = Request(provider="openai", model="m", messages=(Message(role="user", content=text),), tag="t", **more)
    return Call(digest="d", first="d", request=request, asked_by=[0])


def lane(price=PRICE, *, free=False):
    return Lane(who="m", provider=None, price=price, pacer=Pacer(most=1), free=free)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Which is better?", "哪个答案更好?" * 50, "🦉" * 100, "0x9fe2 " * 400, ""])
def test_the_worst_case_counts_a_token_for_every_byte_and_the_whole_output_limit(text):
    one = call(text, system="Säge", effort="low")
    assert one.most_tokens_in >= len(text.encode()) + len("Säge".encode())
    worst = one.worst_cost(PRICE)
    assert worst >= (one.most_tokens_in * 2.5 + 6144 * 10) / 1e6
    one.raised = 1
    assert one.worst_cost(PRICE) > worst


def test_a_limit_that_is_left_to_the_server_is_worth_the_one_that_it_refused():
    one = call("What?")
    refused = one.worst_cost(PRICE)
    one.raised = -1
    assert one.worst_cost(PRICE) == refused


def test_the_schema_is_read_too():
    schema = {"type": "object", "properties": {"x" * 1000: {"type": "string"}}}
    assert call("q", schema=schema).most_tokens_in > call("q").most_tokens_in + 1000


def test_an_answer_costs_what_its_usage_says():
    usage = Usage(tokens_in=1000, cached=200, written=300, tokens_out=50)
    assert lane().cost(call("q"), usage) == pytest.approx((500 * 2 + 200 * 0.2 + 300 * 2.5 + 50 * 10) / 1e6)


def test_an_answer_that_does_not_say_what_it_took_is_taken_at_its_worst():
    one = call("q")
    for usage in (Usage(), Usage(tokens_in=5), Usage(tokens_out=5)):
        assert lane().cost(one, usage) == one.worst_cost(PRICE) > 0


def test_recorded_answers_and_models_without_a_price_cost_nothing():
    usage = Usage(tokens_in=1000, tokens_out=50)
    assert lane(free=True).cost(call("q"), usage) == 0
    assert lane(None).cost(call("q"), usage) == 0
    assert call("q").worst_cost(None) == 0


# --- What was lost ----------------------------------------------------------------------------------------------------


def test_a_try_that_went_out_counts_at_its_worst_until_it_is_known_better(tmp_path):
    database = open_database(tmp_path / "judge.db")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    intent = Intent(digest="d", first="d", repeat=1, request={}, tag="t")
    with database.write() as tx:
        store.intend(tx, [intent], now)
        assert store.send(tx, [Sent(call="d", n=1, worst_usd=0.5)], now) == frozenset()
        assert store.spent(tx, ["d"]) == Spent(usd=0.5, possibly_paid=1)
        assert store.send(tx, [Sent(call="d", n=1, worst_usd=0.5)], now) == {"d"}
        store.record(tx, [Outcome(call="d", n=1, raw="{}", usage={}, cost_usd=0.01)], now)
        assert store.spent(tx, ["d"]) == Spent(usd=0.01)
    database.close()


def test_what_was_asked_anew_counts_with_the_call_that_was_asked_first(tmp_path):
    database = open_database(tmp_path / "judge.db")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    calls = [
        Intent(digest=d, first=f, repeat=1, request={"reask": n}, tag="t")
        for d, f, n in (("d", "d", 0), ("e", "d", 1), ("x", "x", 0))
    ]
    with database.write() as tx:
        store.intend(tx, calls, now)
        store.record(
            tx,
            [Outcome(call=call, n=1, raw=call, usage={}, cost_usd=usd) for call, usd in (("e", 0.2), ("d", 0.1), ("x", 4))],
            now,
        )
        store.send(tx, [Sent(call="e", n=2, worst_usd=0.5)], now)
        spent = store.spent(tx, ["d"])
        assert (round(spent.usd, 9), spent.possibly_paid) == (0.8, 1)
        assert [(one.again, one.n, one.raw) for one in store.attempts(tx, "d")] == [(0, 1, "d"), (1, 1, "e"), (1, 2, None)]
        assert store.spent(tx, []) == Spent()
    database.close()
