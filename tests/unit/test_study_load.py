"""study.yaml is read strictly: every default is filled in, every complaint names line, key and remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from judge.data import dump_yaml
from judge.domain import Decoding, Gates, ReviewPlan
from judge.errors import FileError, StudyError
from judge.study import Study, effective, family, load_study

Make = Callable[[str], Study]

MINIMAL = """\
test: data/test.jsonl
arms:
  base: {baseline: true, outputs: base.jsonl}
  tuned: {outputs: tuned.jsonl}
rubric: support-reply@1
judges: {sol: {openai: gpt-6.1-sol}}
"""

FULL = """\
name: support-replies
seed: 7
test: data/test.jsonl
train: data/train.jsonl
validation: data/val.jsonl
system: prompts/production.md
decoding: {temperature: 0, max_tokens: 400}
arms:
  base:   {baseline: true, vllm: ./models/base}
  shots:  {role: rival, vllm: ./models/base, few_shot: data/shots.jsonl, system: null}
  tuned:  {vllm: ./models/base, adapter: ./models/lora, decoding: {temperature: 0.7, stop: "###", n: 2}}
  remote: {openai: my-model, base_url: "http://127.0.0.1:8000/v1", key_env: LOCAL_KEY}
  hub:    {transformers: owner/small-model}
  old:    {outputs: base.jsonl, model: someones-model}
vllm: {python: ./vllm-env/bin/python, max_model_len: 4096}
rubric: mine.yaml
judges:
  sol:    {openai: gpt-6.1-sol, effort: low, repeats: 3}
  sonnet: {anthropic: claude-sonnet-5-5}
  local:  {openai: my-judge, base_url: "http://127.0.0.1:8000/v1", key_env: LOCAL_KEY}
  tape:   {recorded: tape.jsonl, repeats: 2}
budget: 12.50 USD
primary: field_accuracy
metrics: [rouge_l]
labels: labels.jsonl
review: {sample: 60, labels_per_item: 3}
gates: {primary: {above: 0.02}, probes: {margin: 0.03}, agreement: {margin: 0.1}}
"""

FILES = {
    "data/test.jsonl": '{"prompt": "q"}',
    "data/train.jsonl": '{"prompt": "q"}',
    "data/val.jsonl": '{"prompt": "q"}',
    "data/shots.jsonl": json.dumps({"messages": [{"role": r, "content": r} for r in ("user", "assistant")]}),
    "prompts/production.md": "Be brief.\r\nBe kind.\r\n",
    "base.jsonl": "{}",
    "tuned.jsonl": "{}",
    "tape.jsonl": "{}",
    "labels.jsonl": "{}",
    "pairs.jsonl": "{}",
    "mine.yaml": "rubric: mine\ntask: t\noverall: Which is better?\n",
    "models/base/config.json": "{}",
    "models/lora/adapter_config.json": "{}",
    "vllm-env/bin/python": "",
}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Load a study from text, in a folder that holds every file the examples name."""
    folder = tmp_path / "my study"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())
    monkeypatch.chdir(folder)

    def make(text: str) -> Study:
        Path("study.yaml").write_text(text)
        return load_study("study.yaml")

    return make


def complaint(make: Make, text: str) -> str:
    with pytest.raises(StudyError) as caught:
        make(text)
    return str(caught.value)


# --- What is right ---------------------------------------------------------------------------------------------------


def test_a_minimal_study_has_every_default(make: Make) -> None:
    study = make(MINIMAL)
    assert (study.name, study.seed, study.primary, study.budget_usd) == ("my-study", 0, "win_rate", 5.0)
    assert (study.review, study.gates) == (ReviewPlan(), Gates(above=0.5))
    assert study.test == Path("data/test.jsonl") and study.pairs is None
    assert study.baseline == study.arms["base"] and study.candidates == (study.arms["tuned"],)
    assert study.rubric is not None and study.rubric.name == "support-reply"
    assert study.judges["sol"].repeats == 1


def test_what_is_given_for_all_arms_reaches_those_that_are_generated(make: Make) -> None:
    arms = make(FULL).arms
    assert arms["base"].system == "Be brief.\nBe kind."
    assert arms["shots"].system is None and len(arms["shots"].few_shot) == 1
    assert arms["base"].decoding == Decoding(temperature=0.0, max_tokens=400)
    assert arms["tuned"].decoding == Decoding(temperature=0.7, max_tokens=400, stop=("###",), n=2)
    assert arms["old"].system is None and arms["old"].decoding == Decoding()
    assert arms["hub"].target == "owner/small-model"
    assert {name: arm.role for name, arm in arms.items()}["shots"] == "rival"


def test_a_full_study_says_what_it_was_told(make: Make) -> None:
    study = make(FULL)
    assert study.metrics == ("rouge_l", "field_accuracy")
    assert study.gates == Gates(above=0.02, probe_margin=0.03, probe_stop=0.15, agreement_margin=0.1)
    assert study.review == ReviewPlan(sample=60, labels_per_item=3)
    assert study.budget_usd == 12.5
    assert study.vllm == {"python": "vllm-env/bin/python", "max_model_len": 4096}
    assert study.judges["tape"].target == "tape.jsonl"
    assert study.rivals == (study.arms["shots"],)


@pytest.mark.parametrize("text", [MINIMAL, FULL, "pairs: pairs.jsonl\nprimary: win_rate\nlabels: labels.jsonl\n"])
def test_the_effective_configuration_loads_to_an_equal_study(make: Make, text: str) -> None:
    study = make(text)
    written = dump_yaml(effective(study))
    again = make(written)
    assert again == study
    assert dump_yaml(effective(again)) == written


def test_the_effective_configuration_is_a_copy(make: Make) -> None:
    study = make(MINIMAL)
    effective(study)["review"]["sample"] = 1
    assert effective(study)["review"]["sample"] == 100


def test_a_study_of_given_pairs_has_no_arms(make: Make) -> None:
    study = make("pairs: pairs.jsonl\ncandidate: llama-7b\njudges: {j: {calls: tape.jsonl}}\n")
    assert (study.candidate, study.arms, study.baseline) == ("llama-7b", {}, None)


def test_paths_start_from_the_study_file(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(MINIMAL)
    monkeypatch.chdir("..")
    study = load_study(Path("my study/study.yaml"))
    assert study.test == Path("my study/data/test.jsonl")
    assert study.arms["base"].target == "my study/base.jsonl"


def test_words_that_other_readers_take_for_booleans_stay_words(make: Make) -> None:
    assert make(MINIMAL.replace("tuned:", "no:")).candidates[0].name == "no"


# --- What is wrong ---------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_named_with_line_and_the_nearest_known_one(make: Make) -> None:
    assert complaint(make, FULL.replace("effort", "effrot")) == (
        "study.yaml:18: judges.sol.effrot: unknown key. Did you mean 'effort'?"
    )


MINIMAL_CHANGES = [
    ("arms:", "arm:", "study.yaml:2: arm: unknown key. Did you mean 'arms'?"),
    ("baseline: true, ", "", "study.yaml:2: arms: no arm is the baseline"),
    ("tuned: {", "tuned: {baseline: true, ", "study.yaml:4: arms.tuned: 'base' is the baseline already"),
    ("tuned: {", "tuned: {role: rival, ", "study.yaml:2: arms: no arm is a candidate"),
    ("tuned: {", "tuned: {role: baseline, ", "study.yaml:4: arms.tuned.role: 'baseline' is not one of rival, candidate"),
    ("true,", "true, role: rival,", "study.yaml:3: arms.base.role: given together with baseline: true"),
    ("tuned:", "tu/ned:", "study.yaml:4: arms.tu/ned: is no name for an arm"),
    ("tuned:", "base:", "study.yaml:4: arms.base: stands twice, first in line 3"),
    ("tuned.jsonl", "tunde.jsonl", "study.yaml:4: arms.tuned.outputs: no file tunde.jsonl"),
    ("tuned: {outputs: tuned.jsonl}", "tuned: {vllm: ./nowhere}", "study.yaml:4: arms.tuned.vllm: no folder nowhere"),
    ("tuned: {outputs: tuned.jsonl}", "tuned: {}", "study.yaml:4: arms.tuned: says not where its outputs come from"),
    ("tuned: {outputs: tuned.jsonl}", "tuned:", "study.yaml:4: arms.tuned: must be a mapping, not null"),
    ("tuned: {", "tuned: {openai: m, ", "study.yaml:4: arms.tuned.openai: given together with outputs"),
    ("tuned: {", "tuned: {adapter: models/lora, ", "study.yaml:4: arms.tuned.adapter: has no meaning beside outputs"),
    ("tuned: {", "tuned: {base_url: 'http://x', ", "study.yaml:4: arms.tuned.base_url: has no meaning beside outputs"),
    ("data/test", "data/tset", "study.yaml:1: test: no file data/tset.jsonl"),
    ("test: data/test.jsonl\n", "", "study.yaml:1: test: missing"),
    ("support-reply@1", "suport-reply@1", "study.yaml:5: rubric: no shipped rubric 'suport-reply@1'. Did you mean"),
    ("support-reply@1", "support-reply", "study.yaml:5: rubric: the rubric 'support-reply' lacks its version"),
    ("support-reply@1", "rub.yaml", "study.yaml:5: rubric: no file rub.yaml"),
    ("support-reply@1", "base.jsonl", "study.yaml:5: rubric: base.jsonl:1: must hold keys and values"),
    ("rubric: support-reply@1\n", "", "study.yaml:1: rubric: missing, and the judge 'sol' judges by one"),
    ("{sol:", "{jury:", "study.yaml:6: judges.jury: is the name of all judges together"),
    ("{sol:", "{'so l':", "study.yaml:6: judges.so l: is no name for a judge"),
    ("gpt-6.1-sol}", "x, anthropic: y}", "study.yaml:6: judges.sol.anthropic: given together with openai"),
    ("gpt-6.1-sol}", "6.1}", "study.yaml:6: judges.sol.openai: must be a text, not the number 6.1. Put it in quotes."),
    ("gpt-6.1-sol}", "x, repeats: 0}", "study.yaml:6: judges.sol.repeats: must be between 1 and 100"),
    ("gpt-6.1-sol}", "x, base_url: ftp}", "study.yaml:6: judges.sol.base_url: 'ftp' is no address"),
    ("gpt-6.1-sol}", "x, base_url: 'http://[::1/v1'}", "study.yaml:6: judges.sol.base_url: 'http://[::1/v1' is no address"),
    (
        "gpt-6.1-sol}",
        "x, base_url: 'http://x:999999/v1'}",
        "study.yaml:6: judges.sol.base_url: 'http://x:999999/v1' is no",
    ),
    ("gpt-6.1-sol}", "x, base_url: 'http:///v1'}", "study.yaml:6: judges.sol.base_url: 'http:///v1' is no address"),
    ("gpt-6.1-sol}", "x, base_url: 'http://x y/v1'}", "study.yaml:6: judges.sol.base_url: 'http://x y/v1' is no address"),
    (
        "gpt-6.1-sol}",
        "x, base_url: 'http://me:word@x/v1'}",
        "study.yaml:6: judges.sol.base_url: holds '@', as beside",
    ),
    ("gpt-6.1-sol}", "x, base_url: 'http://x/v1?key=word'}", "study.yaml:6: judges.sol.base_url: holds '?', as beside"),
    ("gpt-6.1-sol}", "x, base_url: 'http://a..b/v1'}", "study.yaml:6: judges.sol.base_url: 'http://a..b/v1' is no address"),
    (
        "gpt-6.1-sol}",
        "x, base_url: 'http://b\u00fccher/v1'}",
        "study.yaml:6: judges.sol.base_url: 'http://b\u00fccher/v1' is no address",
    ),
    ("gpt-6.1-sol}", "x, base_url: 'http://\uff11.x/v1'}", "study.yaml:6: judges.sol.base_url: 'http://\uff11.x/v1' is no"),
    ("gpt-6.1-sol}", "x, base_url: 'http://./v1'}", "study.yaml:6: judges.sol.base_url: 'http://./v1' is no address"),
    ("gpt-6.1-sol}", "x, base_url: 'http://[::1]x/v1'}", "study.yaml:6: judges.sol.base_url: 'http://[::1]x/v1' is no"),
    ("gpt-6.1-sol}", "x, base_url: 'http://[v1.x]/v1'}", "study.yaml:6: judges.sol.base_url: 'http://[v1.x]/v1' is no"),
    ("gpt-6.1-sol}", "x, base_url: 'http://1.2.3.4.5/v1'}", "study.yaml:6: judges.sol.base_url: 'http://1.2.3.4.5/v1' is"),
    ("openai: gpt-6.1-sol", "calls: tuned.jsonl, effort: low", "study.yaml:6: judges.sol.effort: has no meaning beside"),
    ("openai: gpt-6.1-sol", "recorded: no.jsonl", "study.yaml:6: judges.sol.recorded: no file no.jsonl"),
    ("judges: {sol: {openai: gpt-6.1-sol}}\n", "", "study.yaml:1: primary: missing, and there is no judge"),
]


@pytest.mark.parametrize(("old", "new", "problem"), MINIMAL_CHANGES)
def test_one_wrong_line_is_named(make: Make, old: str, new: str, problem: str) -> None:
    assert old in MINIMAL
    assert complaint(make, MINIMAL.replace(old, new, 1)).startswith(problem)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("pairs: pairs.jsonl", "study.yaml:1: test: given together with pairs"),
        ("candidate: a", "study.yaml:7: candidate: has no meaning without pairs"),
        ("budget: 5", "study.yaml:7: budget: is no sum of money. Write a number and USD"),
        ("budget: 5 EUR", "study.yaml:7: budget: is no sum of money"),
        ("budget: -5 USD", "study.yaml:7: budget: is no sum of money"),
        ("seed: -1", "study.yaml:7: seed: must be at least 0"),
        ("seed: .nan", "study.yaml:7: seed: .nan is no number we can use"),
        ("name: a/b", "study.yaml:7: name: 'a/b' is no name for a study"),
        ("metrics: rouge_l", "study.yaml:7: metrics: must be a list of texts, not the text 'rouge_l'"),
        ("metrics: [rouge_l, rouge_l]", "study.yaml:7: metrics: one metric stands twice"),
        ("review: {sample: 0}", "study.yaml:7: review.sample: must be at least 1"),
        ("review: {labels_per_item: 3, seats: 2}", "study.yaml:7: review.seats: 2 cannot give 3 labels to an item"),
        ("review: {smaple: 3}", "study.yaml:7: review.smaple: unknown key. Did you mean 'sample'?"),
        ("gates: {primary: {above: 2}}", "study.yaml:7: gates.primary.above: must be between 0 and 1"),
        ("gates: {probes: {margin: 0.1, stop: 0.05}}", "study.yaml:7: gates.probes.stop: 0.05 is below the margin 0.1"),
        ("gates: {probe: {margin: 0.1}}", "study.yaml:7: gates.probe: unknown key. Did you mean 'probes'?"),
        ("decoding: {temperature: 3}", "study.yaml:7: decoding.temperature: must be between 0 and 2"),
        ("vllm: {python: ./no/python}", "study.yaml:7: vllm.python: no file no/python"),
        ("seed: 1\nseed: 2", "study.yaml:8: seed: stands twice, first in line 7"),
        ("seed: !!python/name:os.system x", "study.yaml:7: seed: the tag tag:yaml.org,2002:python/name:os.syst"),
        ("seed: [1", "study.yaml:8: broken YAML: "),
        ('name: "\\U00110000"', "study.yaml: broken YAML: a character that is none"),
        ('name: "\\UFFFFFFFF"', "study.yaml: broken YAML: a character that is none"),
        ('primary: "\\ud800"', "study.yaml:7: primary: holds half a character"),
        ('vllm: {hf_overrides: {"x\\ud800": 1}}', "study.yaml:7: vllm.hf_overrides: holds half a character"),
        ("---\nseed: 1", "study.yaml:7: broken YAML: but found another document"),
    ],
)
def test_one_line_too_many_is_named(make: Make, line: str, problem: str) -> None:
    assert complaint(make, MINIMAL + line + "\n").startswith(problem)


def test_a_character_in_two_halves_is_one(make: Make) -> None:
    study = make(MINIMAL.replace("outputs: tuned.jsonl", 'vllm: ./models/base, decoding: {stop: "\\ud83d\\ude00"}'))
    assert study.arms["tuned"].decoding.stop == ("😀",)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "word\n"])
def test_a_file_without_keys_is_no_study(make: Make, text: str) -> None:
    assert complaint(make, text).startswith("study.yaml:1: must hold keys and values")


def test_what_is_wrong_in_a_shots_file_is_reported_at_the_line_that_names_it(make: Make) -> None:
    make(FULL)
    Path("data/shots.jsonl").write_text('{"messages": [}')
    assert complaint(make, FULL).startswith("study.yaml:10: arms.shots.few_shot: data/shots.jsonl:1: broken JSON")


def test_a_key_in_the_file_is_refused_and_never_repeated(make: Make) -> None:
    text = complaint(make, FULL.replace("LOCAL_KEY", "sk-secret-123", 1))
    assert "key_env: is no name of an environment variable" in text and "secret" not in text


def test_aliases_that_grow_without_end_are_refused(make: Make) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert "too large or too deep" in complaint(make, "\n".join(lines))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "https://api.example.com/v1",
        "http://[::1]:8000/v1",
        "http://judge/v1",
        "http://a.b.",
        "http://xn--bcher-kva.example/v1",
    ],
)
def test_an_address_that_can_be_asked_is_taken_as_it_is(make: Make, url: str) -> None:
    text = MINIMAL.replace("gpt-6.1-sol}", f"x, base_url: '{url}'}}")
    assert make(text).judges["sol"].base_url == url.rstrip("/")


def test_a_study_that_is_not_there_is_a_file_error() -> None:
    with pytest.raises(FileError, match=r"no-study\.yaml: no such file"):
        load_study("no-study.yaml")


# --- No judge grades its kin -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "judge", "problem"),
    [
        ("openai: my-model", "openai: my-model", "is the arm 'tuned'"),
        ("outputs: tuned.jsonl, model: my-model", "openai: my-model", "made the outputs of the arm 'tuned'"),
        ("outputs: tuned.jsonl, model: 'ft:gpt-4o:shop::7'", "openai: gpt-6.1-sol", "same family as the arm 'tuned' (GPT)"),
        ("transformers: meta-llama/Llama-3-8B", "openai: llama-4-judge", "same family as the arm 'tuned' (Llama)"),
        ("openai: claude-haiku-5, base_url: 'http://x/v1'", "anthropic: claude-sonnet-5-5", "same family"),
    ],
)  # fmt: skip
def test_a_judge_that_is_an_arm_or_its_kin_must_be_allowed(make: Make, arm: str, judge: str, problem: str) -> None:
    text = MINIMAL.replace("tuned: {outputs: tuned.jsonl}", f"tuned: {{{arm}}}").replace("openai: gpt-6.1-sol", judge)
    assert problem in complaint(make, text)
    assert make(text.replace(f"sol: {{{judge}", f"sol: {{{judge}, allow_self: true")).judges["sol"].allow_self


def test_models_of_other_families_and_servers_are_no_kin(make: Make) -> None:
    text = MINIMAL.replace("tuned: {outputs: tuned.jsonl}", "tuned: {openai: my-model, base_url: 'http://x/v1'}")
    assert make(text.replace("gpt-6.1-sol", "my-model"))
    assert make(MINIMAL.replace("tuned.jsonl}", "tuned.jsonl, model: llama-3}"))


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-4o", "GPT"), ("o3-mini", "GPT"), ("ft:gpt-4o-mini:org::id", "GPT"), ("openai/gpt-6", "GPT"),
        ("./models/Qwen2.5-7B", "Qwen"), ("Mixtral-8x7B", "Mistral"), ("my-model", None), ("o", None), ("graph-x", None),
    ],
)  # fmt: skip
def test_a_family_is_told_by_the_start_of_the_name(model: str, known: str | None) -> None:
    assert family(model) == known


def test_two_studies_that_differ_are_not_equal(make: Make) -> None:
    study = make(MINIMAL)
    assert replace(study, seed=1) != study
