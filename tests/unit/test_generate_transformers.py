"""The transformers engine, spoken to by JSON lines: a tiny Llama, made here, answers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from judge.generate.engines import transformers_child

SCRIPT = Path(transformers_child.__file__)

TEMPLATE = (
    "{% if messages[-1].role != 'user' %}{{ raise_exception('a user speaks last') }}{% endif %}{{ bos_token }}"
    "{% for m in messages %} <|{{ m.role }}|> {{ m.content }} <|end|>{% endfor %}"
    "{% if add_generation_prompt %} <|assistant|>{% endif %}"
)
MAX_LEN = 64
SAMPLING = {"temperature": 0.0, "top_p": None, "max_tokens": 12, "stop": [], "seed": None, "n": 1}
MAKE = """
import json, sys
from pathlib import Path
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

root, template, max_len = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
special = ["<|unk|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
words = {word: place for place, word in enumerate([*special, *(f"w{n}" for n in range(90))])}
tokens = Tokenizer(models.WordLevel(words, unk_token="<|unk|>"))
tokens.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=tokens, bos_token="<|bos|>", eos_token="<|end|>", unk_token="<|unk|>", chat_template=template
)

def llama(seed, hidden=32, layers=3):
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(words), hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers,
        num_attention_heads=4, max_position_embeddings=max_len, initializer_range=0.3, bos_token_id=1, eos_token_id=2,
    ))
    with torch.no_grad():
        model.lm_head.weight[: len(special)] = 0  # words only, so that tokens can be counted in the text
    return model

def adapter(model, name):
    lora = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(root / name)

llama(1).save_pretrained(root / "base")
tokenizer.save_pretrained(root / "base")
adapter(llama(1), "tuned")
adapter(llama(1, hidden=64), "wide")
adapter(llama(1, layers=2), "short")
adapter(llama(1, layers=4), "long")
"""


class Child:
    """The engine at work: one line in, the lines up to the last of its answer out."""

    def __init__(self, model, adapters=None, python=sys.executable, **options):
        self.process = subprocess.Popen(
            [*([python] if isinstance(python, str) else python), str(SCRIPT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        adapters = {name: str(path) for name, path in (adapters or {}).items()}
        (self.first,) = self.ask({"open": {"model": str(model), "adapters": adapters, "options": options, "seed": 7}})

    def ask(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        lines = []
        while not lines or "row" in lines[-1]:
            lines.append(json.loads(self.process.stdout.readline()))
        return lines

    def generate(self, contents, adapter=None, **sampling):
        """The row of each content; its key is the content."""
        rows = [{"key": text, "messages": [{"role": "user", "content": text}]} for text in contents]
        *said, last = self.ask({"generate": {"adapter": adapter, "sampling": {**SAMPLING, **sampling}, "rows": rows}})
        assert last == {"done": {}}, last
        assert sorted(line["row"]["key"] for line in said) == sorted(contents)
        by_key = {line["row"]["key"]: line["row"] for line in said}
        return [by_key[text] for text in contents]

    def samples(self, contents, adapter=None, **sampling):
        return [row["samples"] for row in self.generate(contents, adapter, **sampling)]

    def leave(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code


CONTENTS = ["w1", "w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16", "w20 w21", "w30 " * 9, "w40 w41 w42", "w5 w5 w5 w5 w5"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, "-c", MAKE, root, TEMPLATE, str(MAX_LEN)], check=True)
    return root


@pytest.fixture(scope="module")
def engine(models):
    """An engine with an adapter, four rows a batch."""
    child = Child(models / "base", {"ad": models / "tuned"}, batch_size=4)
    yield child
    assert child.leave() == 0


@pytest.fixture(scope="module")
def plain(models):
    """An engine of the base alone, one row at a time."""
    child = Child(models / "base", batch_size=1)
    yield child
    assert child.leave() == 0


def test_it_says_what_runs(engine):
    ready = engine.first["ready"]
    assert ready["engine"].startswith("transformers ")
    assert ready["max_len"] == MAX_LEN
    assert ready["template"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert set(ready["versions"]) == {"python", "torch", "transformers", "peft"}
    if ready["device"] == "cpu":
        assert ready["dtype"] == "float32"


def test_neither_neighbours_nor_an_idle_adapter_change_a_greedy_answer(engine, plain):
    assert engine.samples(CONTENTS) == plain.samples(CONTENTS)


def test_an_adapter_changes_the_answers_and_leaves_the_base_alone(engine):
    before = engine.samples(CONTENTS)
    tuned = engine.samples(CONTENTS, "ad")
    assert all(one[0]["text"] != other[0]["text"] for one, other in zip(before, tuned, strict=True))
    assert engine.samples(CONTENTS) == before


def test_seeded_samples_repeat_whatever_else_is_asked(engine):
    drawn = engine.samples(CONTENTS, temperature=1.0, seed=3, n=3)
    assert all(len({sample["text"] for sample in samples}) == 3 for samples in drawn)
    assert engine.samples(CONTENTS[2:], temperature=1.0, seed=3, n=3) == drawn[2:]
    assert engine.samples(CONTENTS[:1], temperature=1.0, seed=3, n=1)[0] == drawn[0][:1]
    assert engine.samples(CONTENTS, temperature=1.0, seed=4, n=3) != drawn


def test_samples_without_a_seed_differ_between_passes(engine):
    assert engine.samples(CONTENTS, temperature=1.0) != engine.samples(CONTENTS, temperature=1.0)


def test_a_small_top_p_leaves_the_likeliest_token(engine):
    assert engine.samples(CONTENTS, temperature=1.0, top_p=1e-6, seed=1) == engine.samples(CONTENTS)


def test_greedy_samples_are_equal(engine):
    (samples,) = engine.samples(CONTENTS[:1], n=3)
    assert samples == [samples[0]] * 3


def test_an_answer_without_an_end_runs_to_its_length(engine):
    (samples,) = engine.samples(["w1"], max_tokens=5)
    assert samples[0]["finish"] == "length"
    assert samples[0]["tokens_out"] == len(samples[0]["text"].split()) == 5
    assert samples[0]["tokens_in"] == len(["<|bos|>", "<|user|>", "w1", "<|end|>", "<|assistant|>"])


def test_a_stop_string_cuts_the_answer_of_its_row_only(engine):
    whole = [samples[0]["text"] for samples in engine.samples(CONTENTS)]
    words = whole[0].split()
    stop = " " + next(word for word in words[3:] if word not in words[:3])
    cut = engine.samples(CONTENTS, stop=[stop, "never said"])
    for text, (sample,) in zip(whole, cut, strict=True):
        kept, found, _ = text.partition(stop)
        assert (sample["text"], sample["finish"]) == (kept, "stop" if found else "length")
        assert sample["tokens_out"] == len((kept + found).split())


def test_a_prompt_without_room_is_its_rows_error_and_a_tight_one_is_cut(engine, plain):
    frame = 4  # tokens of the template around the words
    tight, over = " ".join(["w1"] * (MAX_LEN - frame - 3)), " ".join(["w1"] * (MAX_LEN - frame))
    first, second, third = engine.generate(["w9", over, tight])
    assert second["error"] == f"context: the prompt has {MAX_LEN} tokens, the model takes {MAX_LEN} with the answer"
    assert (third["samples"][0]["tokens_out"], third["samples"][0]["finish"]) == (3, "length")
    assert [first["samples"]] == plain.samples(["w9"])


def test_prompts_are_shown_as_the_model_reads_them(engine):
    rows = [{"key": "a", "messages": [{"role": "system", "content": "w1"}, {"role": "user", "content": "w2"}]}]
    text = "<|bos|> <|system|> w1 <|end|> <|user|> w2 <|end|> <|assistant|>"
    assert engine.ask({"prompts": {"rows": rows}}) == [{"prompts": [{"key": "a", "text": text}]}]


def test_a_conversation_that_the_template_refuses_is_its_rows_error(engine):
    rows = [{"key": "a", "messages": [{"role": "assistant", "content": "w1"}]}]
    row, _ = engine.ask({"generate": {"adapter": None, "sampling": SAMPLING, "rows": rows}})
    assert row["row"] == {"key": "a", "error": "template: a user speaks last"}


def test_the_checkpoints_own_settings_end_answers_but_do_not_pick_tokens(models, plain, tmp_path):
    whole = [samples[0]["text"].split() for samples in plain.samples(CONTENTS)]
    last = next(word for word in whole[0][3:] if word not in whole[0][:3])
    model = shutil.copytree(models / "base", tmp_path / "settings")
    end = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"][last]
    settings = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 9.0, "max_new_tokens": 2, "eos_token_id": [2, end]}
    (model / "generation_config.json").write_text(json.dumps(settings))
    child = Child(model, batch_size=8)
    for words, (sample,) in zip(whole, child.samples(CONTENTS), strict=True):
        kept = words[: words.index(last)] if last in words else words
        assert (sample["text"], sample["finish"]) == (" ".join(kept), "stop" if last in words else "length")
        assert sample["tokens_out"] == len(kept) + (last in words)
    assert child.leave() == 0


def failure(*args, **kwargs):
    child = Child(*args, **kwargs)
    assert child.leave() == 1
    return child.first["error"]["kind"], child.first["error"]["text"]


@pytest.mark.parametrize(
    ("name", "why"), [("wide", "does not fit"), ("long", "does not fit"), ("short", "made for another base; 6 weights")]
)
def test_an_adapter_that_does_not_fit_is_refused(models, name, why):
    kind, text = failure(models / "base", {"ad": models / name})
    assert kind == "adapter"
    assert text.startswith(f"{models / name}: ") and why in text
    assert "\n" not in text


def test_an_adapter_that_was_not_announced_is_refused(models):
    child = Child(models / "base")
    (said,) = child.ask({"generate": {"adapter": "ad", "sampling": SAMPLING, "rows": []}})
    assert (said["error"]["kind"], child.leave()) == ("adapter", 1)


def test_a_model_without_a_chat_template_is_refused(models, tmp_path):
    model = shutil.copytree(models / "base", tmp_path / "bare")
    (model / "chat_template.jinja").unlink()
    assert failure(model) == ("template", f"{model}: the model has no chat template (chat_template.jinja)")


def test_a_model_that_lacks_weights_is_refused(models, tmp_path):
    model = shutil.copytree(models / "base", tmp_path / "more-layers")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 5}))
    kind, text = failure(model)
    assert kind == "model"
    assert "the checkpoint lacks 18 weights" in text


def test_a_device_that_is_not_there_is_refused(models):
    kind, text = failure(models / "base", device="cuda:99")
    assert (kind, text[:18]) == ("option", "device: 'cuda:99':")


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"top_k": 5}, "top_k: unknown option of the transformers engine; known: device, dtype, batch_size"),
        ({"batch_size": 0}, "batch_size: 0 is not a whole number from 1"),
        ({"dtype": "int3"}, "dtype: 'int3' is not known; known: auto, bfloat16, float16, float32"),
    ],
)
def test_an_unknown_or_impossible_option_is_named(option, text):
    assert failure("any", python=sys.executable, **option) == ("option", text)


def test_a_model_or_adapter_that_is_not_there_is_refused(tmp_path):
    none = tmp_path / "none"
    assert failure(none, python=sys.executable) == ("model", f"{none}: there is no such folder")
    kind, text = failure(tmp_path, {"ad": none}, python=sys.executable)
    assert (kind, text) == ("adapter", f"{none}/adapter_config.json: No such file or directory")


def test_an_adapter_that_would_change_the_base_for_good_is_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8, "bias": "all"}')
    (tmp_path / "adapter_model.safetensors").touch()
    kind, text = failure(tmp_path, {"ad": tmp_path}, python=sys.executable)
    assert kind == "adapter"
    assert "an adapter with biases changes the base" in text


def test_an_interpreter_without_the_packages_names_the_one_that_is_missing():
    kind, text = failure("any", python=[sys.executable, "-S"])
    assert kind == "import"
    assert text.endswith("cannot import transformers: No module named 'transformers'")


def test_a_line_out_of_place_is_told():
    child = subprocess.run(
        [sys.executable, str(SCRIPT)], input='{"prompts": {"rows": []}}\n', capture_output=True, text=True, check=False
    )
    assert (child.returncode, json.loads(child.stdout)["error"]["kind"]) == (1, "other")
