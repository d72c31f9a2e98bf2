"""The parent of an engine: what it asks comes back whole and in order, or there is one clear error and no process left.

The last part asks the same of every script that speaks the language: the stand-in and transformers_child.py always,
vllm_child.py where the variable JUDGE_TEST_VLLM names an interpreter with vllm.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

import judge.generate.engines
from judge.domain import Decoding, Message
from judge.errors import EngineError
from judge.generate import Ask, EngineProcess
from judge.generate.engines.wire import Refusal, failing_as, opens_a_thought, parted

STAND_IN = Path(__file__).parents[1] / "engine_stand_in.py"
ENGINES = Path(judge.generate.engines.__file__).parent
TUNED = {"ad0be5": "tuned"}


def asks(n, text="What is {}?"):
    return [Ask(key=f"q{k}", messages=(Message(role="user", content=text.format(k)),)) for k in range(n)]


def stand_in(*, model="tiny", adapters=TUNED, seed=0, **options):
    return EngineProcess(sys.executable, STAND_IN, model, adapters=adapters, options=options, seed=seed)


def refused(engine, n=3, **decoding):
    """The error of an engine that is opened and asked."""
    with pytest.raises(EngineError) as caught, engine:
        engine.generate(asks(n), Decoding(**decoding))
    assert "\n" not in str(caught.value)
    return caught.value


def texts(rows):
    return [[sample.text for sample in row.samples] for row in rows]


def group_is_gone(leader):
    """Killed processes count until somebody, here init, has reaped them."""
    for _ in range(50):
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


# --- What is asked comes back -------------------------------------------------------------------------------------------


def test_rows_come_back_in_the_order_of_the_asks_though_the_engine_answers_in_another():
    told = []
    with stand_in() as engine:
        rows = engine.generate(asks(20), Decoding(), told=told.append)
    assert [row.key for row in rows] == [f"q{k}" for k in range(20)]
    assert told == rows[::-1]


def test_rows_are_told_while_the_engine_still_works():
    came = []
    with stand_in(fault="slow") as engine:
        engine.generate(asks(6), Decoding(), told=lambda _: came.append(time.monotonic()))
    assert came[-1] - came[0] > 0.1


def test_an_engine_says_what_it_is():
    with stand_in(max_model_len=77) as engine:
        about = engine.about
    assert (about.engine, about.device, about.dtype, about.max_len) == ("stand-in 1", "cpu", "float32", 77)
    assert len(about.template) == 64 and set(about.versions) == {"python"}


def test_nothing_is_known_of_an_engine_that_was_not_started():
    with pytest.raises(RuntimeError):
        stand_in().about  # noqa: B018


def test_no_asks_have_no_rows():
    with stand_in() as engine:
        assert engine.generate([], Decoding()) == []
        assert engine.prompts([]) == {}


def test_a_row_with_an_error_stands_among_the_others():
    with stand_in(fault="row_error", after=2) as engine:
        rows = engine.generate(asks(3), Decoding())
    assert [row.error for row in rows] == ["template: roles must alternate", None, None]
    assert rows[0].samples == ()


def test_long_texts_and_every_character_survive_the_pipes():
    text = "ä\u2028\x00\n" + "long " * 200_000
    with stand_in(max_model_len=10**6) as engine:
        prompts = engine.prompts(asks(2, text))
    assert prompts["q1"] == f"user: {text}\nassistant:"


def test_two_asks_with_one_key_are_a_mistake_of_the_caller():
    with stand_in() as engine, pytest.raises(ValueError, match="same key"):
        engine.generate(asks(1) * 2, Decoding())


# --- Every fault is one clear error ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("model", "Check the model's path or name"),
        ("adapter", "Name the folder of a trained adapter, and the base model that it was trained on"),
        ("rank", "Raise max_lora_rank in study.yaml"),
        ("template", "chat_template.jinja into the model's folder"),
        ("option", "Mend the engine's options in study.yaml"),
        ("memory", "smaller max_model_len"),
        ("import", "Name the interpreter of an environment with engine_stand_in in study.yaml"),
        ("other", "the stand-in was told to refuse: other."),
    ],
)
def test_a_refusal_keeps_its_kind_and_words_and_gains_a_remedy(kind, remedy):
    error = refused(stand_in(fault=kind))
    assert error.kind == kind and error.exit_code == 2
    assert str(error).startswith(f"engine_stand_in: the stand-in was told to refuse: {kind}") and remedy in str(error)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("die", "other", "the engine was killed (SIGKILL); the system may have run out of memory"),
        ("ended", "other", "the engine was ended by signal 15 (Terminated)"),
        ("leave", "other", "the engine left with exit code 3; its last words: value.StrangeError: the weights have melted"),
        ("out_of_memory", "memory", "exit code 1; its last words: torch.OutOfMemoryError: CUDA out of memory"),
        ("pointer", "other", "The core failed. See root cause above. RuntimeError: the true reason"),
        ("no_json", "other", "what is no JSON: Loading weights: 100%"),
        ("unknown_word", "other", 'something else than row or done: {"progress": 0.5}'),
        ("unknown_row", "other", "a row that was never asked: nobody"),
        ("missing_row", "other", "done, with 1 of 3 rows missing"),
        ("twice", "other", "a row that was given before: q0"),
        ("few_samples", "other", "a row without its values"),
        ("no_text", "other", "a row without its values"),
        ("empty_row", "other", "a row without its values: {}"),
    ],
)
def test_a_fault_in_the_middle_is_one_clear_error(fault, kind, words):
    told = []
    engine = stand_in(fault=fault, after=2)
    with pytest.raises(EngineError) as caught, engine:
        engine.generate(asks(3), Decoding(), told=told.append)
    assert caught.value.kind == kind and words in str(caught.value)
    assert [row.key for row in told][:2] == ["q2", "q1"]


def test_an_engine_that_falls_silent_without_leaving_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("judge.generate.child._TERM_S", 0.2)
    assert "the engine closed its output without leaving" in str(refused(stand_in(fault="silent")))


def test_an_interpreter_that_is_not_there_is_named_with_the_remedy():
    engine = EngineProcess("/no/python", ENGINES / "vllm_child.py", "tiny", adapters={}, options={}, seed=0)
    error = refused(engine)
    assert error.kind == "import" and str(error) == (
        "vllm: /no/python cannot be run: No such file or directory. "
        "Name the interpreter of an environment with vllm in study.yaml: vllm: {python: PATH}."
    )


def test_an_environment_without_the_engine_is_named_with_the_remedy():
    bare = EngineProcess(sys.executable, ENGINES / "vllm_child.py", "tiny", adapters={}, options={}, seed=0)
    error = refused(bare)
    assert error.kind == "import" and f"vllm: {sys.executable}: No module named 'vllm'" in str(error)


def test_an_environment_without_transformers_is_told_how_to_install_it(tmp_path):
    venv.create(tmp_path / "bare")
    python = str(tmp_path / "bare/bin/python")
    error = refused(EngineProcess(python, ENGINES / "transformers_child.py", "tiny", adapters={}, options={}, seed=0))
    assert error.kind == "import" and str(error) == (
        f"transformers: {python} cannot import transformers: No module named 'transformers'. "
        f"Install it beside blind-judge: {python} -m pip install 'blind-judge[transformers]'."
    )


@pytest.mark.parametrize("name", ["vllm_child", "transformers_child"])
def test_a_script_whose_parent_is_gone_leaves(name):
    parent = (
        "import subprocess, sys, time; script = subprocess.Popen(sys.argv[1:], stdin=0, stdout=subprocess.DEVNULL, "
        "stderr=subprocess.DEVNULL, start_new_session=True); print(script.pid); time.sleep(1)"
    )
    read, write = os.pipe()  # held open by us: it is not the end of input that tells
    script = [sys.executable, str(ENGINES / f"{name}.py")]
    said = subprocess.run([sys.executable, "-c", parent, *script], stdin=read, capture_output=True, text=True, check=True)
    os.close(read)
    assert group_is_gone(int(said.stdout))
    os.close(write)


def test_a_failed_engine_answers_no_more():
    with stand_in(fault="die") as engine:
        for words in ("killed", "does not run any more"):
            with pytest.raises(EngineError, match=words):
                engine.generate(asks(2), Decoding())


# --- No process is left ---------------------------------------------------------------------------------------------------


def test_close_ends_an_idle_engine_and_may_come_twice():
    with stand_in() as engine:
        leader = engine.pid
        engine.close()
        engine.close()
    assert group_is_gone(leader)


@pytest.mark.parametrize("fault", ["worker", "deaf"])
def test_workers_and_engines_that_will_not_hear_are_ended(fault, monkeypatch):
    monkeypatch.setattr("judge.generate.child._TERM_S", 0.3)
    with stand_in(fault=fault) as engine:
        leader = engine.pid
        if fault == "deaf":
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises((EngineError, KeyboardInterrupt)):
            engine.generate(asks(2), Decoding())
        assert engine.pid is None and group_is_gone(leader)


def test_an_error_of_the_listener_ends_the_engine():
    with stand_in() as engine:
        leader = engine.pid
        with pytest.raises(ZeroDivisionError):
            engine.generate(asks(2), Decoding(), told=lambda _: 1 // 0)
        assert group_is_gone(leader)


# --- Reasoning is no part of the answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "thinking", "text", "reasoning"),
    [
        ("plain", False, "plain", None),
        (" kept as it is ", False, " kept as it is ", None),
        ("<think>\nwhy\n</think>\n\nso", False, "so", "why"),
        ("[THINK]why[/THINK]so", False, "so", "why"),
        ("why</think>so", True, "so", "why"),
        ("why[/THINK]so", True, "so", "why"),
        ("<think></think>so", False, "so", None),
        ("<think>cut", False, "", "cut"),
        ("cut", True, "", "cut"),
        ("of <think>all</think> tags", False, "of <think>all</think> tags", None),
    ],
)
def test_what_a_model_thought_aloud_is_parted_from_its_answer(said, thinking, text, reasoning):
    assert parted(said, thinking) == (text, reasoning)


def test_a_prompt_that_ends_in_an_opened_thought_is_known():
    assert opens_a_thought("assistant:\n<think>\n")
    assert not opens_a_thought("say <think> aloud\nassistant:")


def test_too_little_memory_has_its_own_kind():
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")):
        with pytest.raises(Refusal) as told, failing_as("other", "generating"):
            raise error
        assert told.value.kind == "memory"


# --- What every script does -------------------------------------------------------------------------------------------------

# Run by the engine's own interpreter: it brings torch and transformers, this one does not.
MAKE_MODELS = """
import json, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.manual_seed(0)
folder, layers, hidden = Path(sys.argv[1]), 2, 64
names = ["<pad>", "<bos>", "<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
tokenizer = Tokenizer(models.BPE(vocab={name: n for n, name in enumerate(names)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
chat = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
config = LlamaConfig(vocab_size=len(names), hidden_size=hidden, intermediate_size=64, num_hidden_layers=layers,
                     num_attention_heads=2, num_key_value_heads=2, head_dim=32, max_position_embeddings=256,
                     bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3)
model = LlamaForCausalLM(config)
for name, template in (("bare", None), ("model", sys.argv[2])):
    chat.chat_template = template
    model.save_pretrained(folder / name)
    chat.save_pretrained(folder / name)
for name, wide in (("adapter", hidden), ("other", hidden // 2)):
    (folder / name).mkdir()
    (folder / name / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "model", "r": 16, "lora_alpha": 32,
        "target_modules": ["q_proj", "v_proj"], "bias": "none", "lora_dropout": 0.0, "inference_mode": True}))
    save_file({f"base_model.model.model.layers.{layer}.self_attn.{part}.lora_{side}.weight":
               torch.randn((16, wide) if side == "A" else (hidden, 16)) * 0.2
               for layer in range(layers) for part in ("q_proj", "v_proj") for side in "AB"},
              folder / name / "adapter_model.safetensors")
"""
TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}assistant:"


def made_for_the_stand_in(folder):
    for name in ("model", "bare"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text('{"hidden_size": 64}')
    (folder / "model" / "chat_template.jinja").write_text(TEMPLATE)
    for name, wide in (("adapter", 64), ("other", 32)):
        (folder / name).mkdir()
        (folder / name / "adapter_config.json").write_text(f'{{"r": 16, "hidden_size": {wide}}}')


@pytest.fixture(scope="module", params=["stand-in", "transformers", "vllm"])
def script(request, tmp_path_factory):
    """A script with its interpreter, and the folders model, bare (without a template), adapter and other (for another base)."""
    folder = tmp_path_factory.mktemp("models")
    if request.param == "stand-in":
        made_for_the_stand_in(folder)
        yield SimpleNamespace(python=sys.executable, path=STAND_IN, folder=folder, **SHORT)
        return
    python = os.environ.get("JUDGE_TEST_VLLM") if request.param == "vllm" else sys.executable
    if not python:
        pytest.skip("JUDGE_TEST_VLLM names no interpreter with vllm")
    subprocess.run([python, "-c", MAKE_MODELS, str(folder), TEMPLATE], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", os.environ.get("VLLM_CPU_KVCACHE_SPACE", "1"))
        about = SHORT if request.param == "vllm" else WHOLE
        yield SimpleNamespace(python=python, path=ENGINES / f"{request.param}_child.py", folder=folder, **about)


# What an engine takes, with which options, and the kind by which it refuses an adapter of too high a rank.
SHORT = {"takes": 100, "options": {"max_model_len": 100}, "kinds": {}}
WHOLE = {"takes": 256, "options": {}, "kinds": {"rank": "option"}}  # any rank will do, and no option limits it


def started(script, model="model", adapter=None, **options):
    adapters = {"ad0be5": str(script.folder / adapter)} if adapter else {}
    options = {**script.options, **options}
    return EngineProcess(script.python, script.path, str(script.folder / model), adapters=adapters, options=options, seed=0)


@pytest.fixture(scope="module")
def running(script):
    with started(script, adapter="adapter") as engine:
        yield engine


def test_greedy_answers_are_the_same_again_and_the_adapter_changes_them(running):
    base, tuned, again = (texts(running.generate(asks(12), Decoding(max_tokens=8), name)) for name in (None, "ad0be5", None))
    assert base == again
    assert sum(a != b for a, b in zip(base, tuned, strict=True)) > 6


def test_a_seed_gives_the_same_samples_whatever_else_is_asked(running):
    warm = Decoding(max_tokens=8, temperature=1.0, seed=3, n=3)
    many, few = running.generate(asks(6), warm), running.generate(asks(2), warm)
    assert texts(many)[:2] == texts(few)
    assert all(len(set(samples)) == 3 for samples in texts(many))


def test_another_seed_gives_other_samples(running):
    a, b = (texts(running.generate(asks(6), Decoding(max_tokens=8, temperature=1.0, seed=seed))) for seed in (3, 4))
    assert a != b


def test_greedy_samples_of_one_row_are_equal(running):
    (row,) = running.generate(asks(1), Decoding(max_tokens=4, n=2))
    assert row.samples[0] == row.samples[1]


def test_prompts_are_what_the_template_makes(running):
    assert running.prompts(asks(2)) == {f"q{k}": f"user: What is {k}?\nassistant:" for k in range(2)}


def test_a_row_that_is_too_long_gets_its_error_and_the_others_their_answers(running, script):
    rows = running.generate(
        [*asks(2), Ask(key="long", messages=(Message(role="user", content="word " * 400),))], Decoding(max_tokens=4)
    )
    assert [row.error is None for row in rows] == [True, True, False]
    assert rows[2].error.startswith("context: the prompt has ") and f"the model takes {script.takes}" in rows[2].error
    assert all(row.samples[0].tokens_in > 0 and row.samples[0].tokens_out > 0 for row in rows[:2])


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("model", {"model": "nowhere"}),
        ("template", {"model": "bare"}),
        ("adapter", {"adapter": "other"}),
        ("adapter", {"adapter": "nowhere"}),
        ("rank", {"adapter": "adapter", "max_lora_rank": 8}),
        ("option", {"max_model_length": 100}),
    ],
    ids=str,
)
def test_what_cannot_be_opened_is_refused_by_kind(script, kind, how):
    assert refused(started(script, **how)).kind == script.kinds.get(kind, kind)


def test_an_adapter_that_was_not_opened_is_refused(script):
    with pytest.raises(EngineError) as caught, started(script) as engine:
        engine.generate(asks(1), Decoding(), "ad0be5")
    assert caught.value.kind == "adapter"


def test_a_killed_engine_is_one_clear_error_and_leaves_nothing(script):
    with started(script, fault="slow") if script.path == STAND_IN else started(script) as engine:
        leader = engine.pid
        threading.Timer(0.3, os.kill, (leader, signal.SIGKILL)).start()
        with pytest.raises(EngineError, match="killed"):
            engine.generate(asks(3000), Decoding(max_tokens=64))
    assert group_is_gone(leader)
