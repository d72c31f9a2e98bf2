"""Outputs from engines that run here: one pass for each arm, probed, kept as they come, resumed after a crash."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

from judge import Study
from judge.errors import EngineError, StateError
from judge.workflow import showing
from judge.workflow.alone import alone
from judge.workflow.origins import origins
from tests import engine_stand_in
from tests.studies import Cli, rows_of, write_rows

SCRIPT = Path(engine_stand_in.__file__).read_text()


@pytest.fixture(autouse=True)
def engines(tmp_path, monkeypatch):
    """Stand-ins in the place of both engines."""
    folder = tmp_path / "engines"
    folder.mkdir()
    for source in ("vllm", "transformers"):
        (folder / f"{source}_child.py").write_text(SCRIPT)
    monkeypatch.setattr("judge.workflow.by_engine._ENGINES", folder)
    return folder


def model(folder: Path, **config):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 64, **config}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")


def adapter(folder: Path, **config):
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8, **config}))
    weights(folder / "adapter_model.safetensors")


def weights(path, **shapes):
    """A safetensors file of which only the head is there: names and shapes."""
    head = json.dumps({name: {"dtype": "F32", "shape": shape} for name, shape in shapes.items()}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)


def write(folder: Path, arms=None, examples=20, **config):
    """A study of a base model and its adapter, run by stand-ins."""
    model(folder / "base")
    adapter(folder / "lora")
    write_rows(folder / "test.jsonl", [{"id": f"e{n:02}", "prompt": f"Question {n}?"} for n in range(examples)])
    arms = arms or {"base": {"baseline": True, "vllm": "base"}, "tuned": {"vllm": "base", "adapter": "lora"}}
    said = {"name": "local", "test": "test.jsonl", "primary": "win_rate", "arms": arms, **config}
    (folder / "study.yaml").write_text(json.dumps(said))
    return Study.open(folder / "study.yaml")


def counts(generated):
    return {made.arm: (made.planned, made.there, made.made) for made in generated.arms}


def origins_of(study):
    with study.work() as work:
        return origins(work)


def texts(study, arm):
    with study.work() as work:
        return {(o.example, o.sample): o.text for o in work.sources.outputs[arm]}


@pytest.mark.parametrize("source", ["vllm", "transformers"])
def test_a_base_model_and_its_adapter_answer_each_for_itself(tmp_path, source):
    arms = {"base": {"baseline": True, source: "base"}, "tuned": {source: "base", "adapter": "lora"}}
    study = write(tmp_path, arms)
    made = study.generate()
    assert counts(made) == {"base": (20, 0, 20), "tuned": (20, 0, 20)}
    assert [arm.repeated for arm in made.arms] == [(8, 8), (8, 8)]
    assert all(text.startswith("base ") for text in texts(study, "base").values())
    assert all(text.startswith("tuned ") for text in texts(study, "tuned").values())
    assert not made.notices
    assert counts(study.generate()) == {"base": (20, 20, 0), "tuned": (20, 20, 0)}


def edited(engines, *changes):
    """Make the stand-in for vLLM another one."""
    script = SCRIPT
    for old, new in changes:
        assert old in script
        script = script.replace(old, new)
    (engines / "vllm_child.py").write_text(script)


def test_a_model_is_loaded_twice_without_its_adapters_and_with_them_all(tmp_path, engines):
    log = tmp_path / "opened.txt"
    begin = "def opened(model, adapters, options, seed):\n"
    edited(engines, (begin, f"{begin}    open({str(log)!r}, 'a').write(f'{{len(adapters)}} ')\n"))
    adapter(tmp_path / "other", note="another one")
    arms = {
        "base": {"baseline": True, "vllm": "base"},
        "tuned": {"vllm": "base", "adapter": "lora"},
        "other": {"vllm": "base", "adapter": "other"},
    }
    write(tmp_path, arms).generate()
    assert log.read_text().split() == ["0", "2"]  # the baseline's, which answers the probes as well, and the adapters'


def test_an_adapter_that_does_nothing_is_an_error(tmp_path, engines):
    edited(engines, ("'tuned' if adapter else 'base'", "'base'"), ('begun["model"], adapter,', 'begun["model"],'))
    study = write(tmp_path)
    with pytest.raises(EngineError, match=r"arms.tuned: the adapter does nothing: all 16 probes read as without it"):
        study.generate()
    assert len(texts(study, "base")) == 20
    assert not texts(study, "tuned")


def test_a_lora_engine_that_changes_the_base_is_told_of_and_the_base_is_not_its(tmp_path, engines):
    edited(engines, ('begun["model"], adapter,', 'begun["model"] + str(len(begun["adapters"])), adapter,'))
    notices = {notice.code: notice.text for notice in write(tmp_path).generate().notices}
    assert "16 of 16 probes otherwise than the model alone" in notices["lora_engine_differs"]


def test_the_outputs_of_the_baseline_are_those_of_an_engine_without_adapters(tmp_path, engines):
    edited(engines, ('begun["model"], adapter,', 'begun["model"] + str(len(begun["adapters"])), adapter,'))
    together = write(tmp_path)
    together.generate()
    (tmp_path / "alone").mkdir()
    model(tmp_path / "alone/base")
    same = {"vllm": str(tmp_path / "base")}
    alone = write(tmp_path / "alone", {"base": {"baseline": True, **same}, "twin": {**same, "decoding": {"seed": 1}}})
    alone.generate()
    assert texts(together, "base") == texts(alone, "base")


def test_an_adapter_that_leaves_something_behind_is_told_of(tmp_path, engines):
    begin = "def answered(begun, adapter, sampling, row):\n"
    edited(
        engines,
        (begin, f"{begin}    begun['used'] = begun.get('used') or adapter\n"),
        ('begun["model"], adapter,', 'begun["model"], adapter or begun["used"],'),
    )
    notices = {notice.code: notice.text for notice in write(tmp_path).generate().notices}
    assert "16 of 16 probes otherwise than it did before the adapter was used" in notices["lora_engine_differs"]


def test_an_adapter_that_changes_only_the_thoughts_does_something(tmp_path, engines):
    edited(
        engines,
        (
            "text = f\"{'tuned' if adapter else 'base'} {hashlib",
            "text, thought = '', f\"{'tuned' if adapter else 'base'} {hashlib",
        ),
        ('"reasoning": None', '"reasoning": thought'),
    )
    study = write(tmp_path)
    study.generate()
    with study.work() as work:
        assert {output.reasoning[:5] for output in work.sources.outputs["tuned"]} == {"tuned"}


def test_probes_that_no_model_answers_say_nothing_of_the_adapter(tmp_path):
    study = write(tmp_path, vllm={"max_model_len": 12})
    long, short = (
        ({"id": f"a{n:02}", "prompt": "word " * 50} for n in range(16)),
        ({"id": f"b{n}", "prompt": "Hi"} for n in range(4)),
    )
    write_rows(tmp_path / "test.jsonl", [*long, *short])
    made = study.generate()
    assert [notice.text for notice in made.notices if notice.code == "adapter_unproven"] == [
        "The adapter of tuned changed none of 0 probes, which are too few to say that it does nothing."
    ]


def test_an_engine_knows_an_adapter_by_its_digest(tmp_path, engines):
    log = tmp_path / "opened.txt"
    begin = "def opened(model, adapters, options, seed):\n"
    edited(engines, (begin, f"{begin}    open({str(log)!r}, 'a').write(' '.join(adapters))\n"))
    write(tmp_path).generate()
    assert re.fullmatch("[0-9a-f]{64}", log.read_text())


def test_generation_that_is_not_the_same_again_is_counted(tmp_path, engines):
    edited(
        engines, ('begun["model"], adapter,', 'begun["model"], begun.setdefault("n", []).append(0), len(begun["n"]), adapter,')
    )
    made = {arm.arm: arm for arm in write(tmp_path).generate().arms}
    assert made["base"].repeated == (0, 8)


def test_how_far_it_has_come_is_told(tmp_path):
    told = []
    write(tmp_path, examples=40).generate(arms=["base"], progress=told.append)
    assert [(one.done, one.of, one.tokens_out) for one in told] == [(16, 40, 32), (32, 40, 64), (40, 40, 80)]


def test_arms_of_different_templates_are_told_of(tmp_path, engines):
    edited(engines, ("hashlib.sha256(TEMPLATE.encode())", "hashlib.sha256((TEMPLATE + model).encode())"))
    model(tmp_path / "full", layers=9)
    arms = {"base": {"baseline": True, "vllm": "base"}, "full": {"vllm": "full"}}
    assert "templates_differ" in {notice.code for notice in write(tmp_path, arms).generate().notices}


def test_what_had_no_text_is_made_anew_under_other_options_and_what_had_one_stays(tmp_path):
    rows = [{"id": "long", "prompt": "word " * 50}, {"id": "short", "prompt": "Hi"}]
    study = write(tmp_path, vllm={"max_model_len": 12})
    write_rows(tmp_path / "test.jsonl", rows)
    study.generate()
    before = texts(study, "base")
    assert counts(study.generate())["base"] == (2, 2, 0)
    study = write(tmp_path, vllm={"max_model_len": 100})
    write_rows(tmp_path / "test.jsonl", rows)
    assert counts(study.generate())["base"] == (2, 1, 1)
    after = texts(study, "base")
    assert before["long", 0] is None and after["long", 0].startswith("base ")
    assert before["short", 0] == after["short", 0]


def test_options_that_change_answers_make_new_outputs_and_others_none(tmp_path, engines):
    edited(engines, ('OPTIONS = ("fault",', 'OPTIONS = ("dtype", "gpu_memory_utilization", "fault",'))
    write(tmp_path).generate()
    assert counts(write(tmp_path, vllm={"gpu_memory_utilization": 0.5}).generate())["base"] == (20, 20, 0)
    assert counts(write(tmp_path, vllm={"dtype": "float16"}).generate())["base"] == (20, 0, 20)


def test_an_engine_that_fails_leaves_the_other_models_to_be_made(tmp_path, engines):
    model(tmp_path / "a-bare")
    (tmp_path / "a-bare/chat_template.jinja").unlink()
    arms = {"bare": {"vllm": "a-bare"}, "base": {"baseline": True, "vllm": "base"}}
    study = write(tmp_path, arms)
    with pytest.raises(EngineError, match="a-bare has no chat template"):
        study.generate()
    assert len(texts(study, "base")) == 20


def test_a_trials_measure_of_noise_outlives_the_few_outputs_that_were_left(tmp_path):
    study = write(tmp_path, examples=20)
    study.generate(limit=19)
    study.generate()
    assert origins_of(study)["base"]["repeated"] == {"same": 8, "of": 8}


def test_a_crash_keeps_what_came_before_and_the_same_command_goes_on(tmp_path):
    arms = {"base": {"baseline": True, "vllm": "base"}, "twin": {"vllm": "base", "decoding": {"seed": 1}}}
    study = write(tmp_path, arms, 600, vllm={"fault": "die", "after": 255})
    with pytest.raises(EngineError, match="killed"):
        study.generate()
    kept = len(rows_of(tmp_path / ".judge/judge.db", "SELECT example FROM output"))
    assert kept == 255  # of the first chunk of 256, all but the one on which it died
    study = write(tmp_path, arms, 600)
    made = study.generate()
    assert counts(made)["base"] == (600, 255, 345)
    assert len(set(texts(study, "base"))) == 600
    base = origins_of(study)["base"]
    assert (base["made"], [part["made"] for part in base["earlier"]]) == (345, [255])  # with other options


def test_outputs_that_are_made_later_in_the_same_way_are_counted_with_the_first(tmp_path):
    study = write(tmp_path, examples=30)
    study.generate(limit=20)
    assert counts(study.generate())["base"] == (30, 20, 10)
    base = origins_of(study)["base"]
    assert (base["made"], base["tokens_out"], "earlier" in base) == (30, 60, False)


def test_an_arm_of_which_parts_come_from_different_engines_is_told_of(tmp_path, engines):
    study = write(tmp_path, examples=30)
    study.generate(limit=20)
    edited(engines, ("stand-in 1", "stand-in 2"))
    made = study.generate()
    assert [notice.text for notice in made.notices] == [
        "The arms were generated with more than one engine: base stand-in 1 and stand-in 2, tuned stand-in 1 and stand-in 2."
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vllm": {"max_model_len": 128, "speed": 9}}, "unexpected keyword argument 'speed'"),
        ({"vllm": {"max_lora_rank": 4}}, "rank 8, max_lora_rank is 4"),
        ({"vllm": {"fault": "memory"}}, "memory"),
        ({"vllm": {"fault": "no_json"}}, "engine"),
    ],
)
def test_what_the_engine_refuses_is_one_line_and_leaves_with_2(tmp_path, capsys, change, said):
    write(tmp_path, **change)
    ran = Cli(capsys)("generate", tmp_path / "study.yaml")
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.strip().count("\n") == 0
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("layer", "wide", "said"),
    [
        (0, 32, "model.layers.0.q.weight is [64, 64] in the base, the adapter is made for [64, 32]"),
        (1, 64, "model.layers.1.q.weight is not in the base"),
    ],
)
def test_an_adapter_whose_weights_do_not_fit_is_refused_before_anything_is_loaded(tmp_path, engines, layer, wide, said):
    (engines / "vllm_child.py").write_text("raise SystemExit('it was started')")
    study = write(tmp_path)
    weights(tmp_path / "base/model.safetensors", **{"model.layers.0.q.weight": [64, 64]})
    module = f"base_model.model.model.layers.{layer}.q"
    parts = {f"{module}.lora_A.weight": [8, wide], f"{module}.lora_B.weight": [64, 8]}
    weights(tmp_path / "lora/adapter_model.safetensors", **parts)
    with pytest.raises(EngineError) as caught:
        study.generate()
    where, model = tmp_path / "study.yaml", tmp_path / "base"
    assert str(caught.value) == (
        f"{where}: arms.tuned: {tmp_path / 'lora'}: the adapter does not fit {model}: {said}. "
        "Name the folder of a trained adapter, and the base model that it was trained on."
    )


def test_an_adapter_without_weights_is_refused_before_anything_is_loaded(tmp_path, engines):
    (engines / "vllm_child.py").write_text("raise SystemExit('it was started')")
    study = write(tmp_path)
    (tmp_path / "lora/adapter_model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"lora: the adapter has no weights \(adapter_model.safetensors\)\. Name the folder"):
        study.generate()


def test_a_model_without_a_template_and_an_adapter_of_another_base_are_named(tmp_path):
    study = write(tmp_path)
    adapter(tmp_path / "lora", hidden_size=32)
    with pytest.raises(EngineError, match="made for 32 values, the base has 64"):
        study.generate()
    (tmp_path / "base" / "chat_template.jinja").unlink()
    with pytest.raises(EngineError, match="no chat template"):
        study.generate(arms=["tuned"])


def test_a_prompt_that_is_too_long_is_an_error_of_its_own_and_the_others_go_on(tmp_path):
    study = write(tmp_path, vllm={"max_model_len": 12})
    rows = [{"id": "long", "prompt": "word " * 50}, {"id": "short", "prompt": "Hi"}]
    write_rows(tmp_path / "test.jsonl", rows)
    made = {arm.arm: arm for arm in study.generate().arms}
    assert (made["base"].made, made["base"].errors) == (2, 1)
    assert made["base"].why == "long: context: the prompt has 52 tokens, the model takes 12 with the answer"
    assert [notice.code for notice in study.check().warnings if "no text" in notice.text] == ["error", "error"]


def test_samples_are_kept_by_number(tmp_path):
    decoding = {"n": 3, "temperature": 1, "seed": 2}
    arms = {"base": {"baseline": True, "vllm": "base"}, "tuned": {"vllm": "base", "decoding": decoding}}
    study = write(tmp_path, arms)
    study.generate()
    assert len(set(texts(study, "tuned").values())) == 60


def test_another_adapter_makes_new_outputs_and_another_place_none(tmp_path):
    study = write(tmp_path)
    study.generate()
    (tmp_path / "lora").rename(tmp_path / "moved")
    arms = {"base": {"baseline": True, "vllm": "base"}, "tuned": {"vllm": "base", "adapter": "moved"}}
    assert counts(write(tmp_path, arms).generate())["tuned"] == (20, 20, 0)
    adapter(tmp_path / "moved", lora_alpha=99)
    assert counts(study.generate())["tuned"] == (20, 0, 20)


def test_the_prompt_of_an_arm_is_shown_as_its_engine_writes_it(tmp_path, capsys):
    (tmp_path / "kind.md").write_text("Be kind.\n")
    study = write(tmp_path, system="kind.md")
    with study.work() as work:
        shown = showing.arm_prompt(work, "e03", "tuned")
    assert shown == "system: Be kind.\nuser: Question 3?\nassistant:"
    ran = Cli(capsys)("show", "e03", "--prompt", "base", tmp_path / "study.yaml")
    assert ran.out.strip() == shown


def test_the_report_says_how_the_outputs_were_made(tmp_path):
    study = write(tmp_path, seed=7)
    report = study.run().reports[0]
    assert report.arms["tuned"].made == (
        "made by stand-in 1, on cpu in float32, seed 7, 8 of 8 prompts gave the same text when asked again, "
        "its adapter changed 16 of 16 probes"
    )


def test_a_second_command_does_not_generate_beside_the_first(tmp_path):
    study = write(tmp_path)
    study.generate(limit=2)
    with alone(tmp_path, "generates"), pytest.raises(StateError, match="another command generates for this study now"):
        study.generate()
    assert counts(study.generate())["base"] == (20, 2, 18)


def test_arms_that_are_made_of_the_same_are_generated_once(tmp_path, engines):
    log = tmp_path / "asked.txt"
    begin = "def answered(begun, adapter, sampling, row):\n"
    edited(engines, (begin, f"{begin}    open({str(log)!r}, 'a').write('x')\n"))
    study = write(tmp_path, {"base": {"baseline": True, "vllm": "base"}, "twin": {"vllm": "base"}})
    assert counts(study.generate()) == {"base": (20, 0, 20), "twin": (20, 20, 0)}
    assert len(log.read_text()) == 20 + 8
    assert texts(study, "base") == texts(study, "twin")


def test_the_transformers_engine_is_given_its_options(tmp_path, engines):
    script = SCRIPT.replace('OPTIONS = ("fault",', 'OPTIONS = ("batch_size", "fault",')
    (engines / "transformers_child.py").write_text(script)
    arms = {"base": {"baseline": True, "transformers": "base"}, "tuned": {"transformers": "base", "adapter": "lora"}}
    study = write(tmp_path, arms, transformers={"batch_size": 4})
    study.generate()
    assert origins_of(study)["base"]["options"] == {"batch_size": 4}
