"""A judge on a real vLLM server: the real SDK, real guided decoding, a model made here.

Runs where the variable JUDGE_TEST_VLLM names an interpreter with vllm.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest

from tests.studies import Cli, rows_of, small

# A model that likes tokens in the order of their ids, whatever it reads: it closes a string as soon as it may.
MAKE_MODEL = """
import sys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
liked = ['"', "}", ":", ","]
names = [*liked, *(one for one in bytes_ if one not in liked), "<pad>", "<bos>", "<eos>"]
tokenizer = Tokenizer(models.BPE(vocab={name: n for n, name in enumerate(names)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
chat = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
chat.chat_template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}assistant:"
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=len(names), hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, head_dim=32, max_position_embeddings=16384,
    bos_token_id=len(names) - 2, eos_token_id=len(names) - 1, pad_token_id=len(names) - 3,
))
with torch.no_grad():
    for name, weights in model.named_parameters():
        weights.fill_(1.0 if "norm" in name or "embed" in name else 0.0)
    model.lm_head.weight -= torch.arange(len(names))[:, None].float()
model.save_pretrained(sys.argv[1])
chat.save_pretrained(sys.argv[1])
"""
UP_S = 300


@contextmanager
def serving(python, model, log):
    """The address of a vLLM server, from the moment it answers until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--served-model-name", "liking",
               "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--generation-config", "vllm"]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    environment.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}/v1"
            until = time.monotonic() + UP_S
            while server.poll() is None and time.monotonic() < until:
                try:
                    urllib.request.urlopen(f"{address}/models", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            else:
                raise AssertionError(log.read_text()[-2000:])
            yield address
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    python = os.environ.get("JUDGE_TEST_VLLM")
    if not python:
        pytest.skip("JUDGE_TEST_VLLM names no interpreter with vllm")
    folder = tmp_path_factory.mktemp("served")
    subprocess.run([python, "-c", MAKE_MODEL, str(folder / "model")], check=True, capture_output=True)
    with serving(python, folder / "model", folder / "log") as found:
        yield found


def test_a_judge_on_a_vllm_server_keeps_to_the_schema_and_every_answer_is_scored(address, capsys, tmp_path):
    made = small(judges=(), people=0)
    made.config = {"judges": {"live": {"openai": "liking", "base_url": address}}}
    study = made.write(tmp_path)
    done = Cli(capsys).well("compare", study, "--json").events[-1]
    assert (done["answered"], done["unscored"]) == (12, 0)
    readings = rows_of(tmp_path / ".judge/judge.db", "SELECT parser, value, count(*) FROM reading GROUP BY parser, value")
    assert sorted(map(tuple, readings)) == [("strict/1", "a", 12), ("strict/1", "b", 12)]  # whoever stands first, twice
    again = Cli(capsys).well("compare", study, "--json").events[-1]
    assert (again["answered"], again["from_journal"]) == (12, 12)


def test_check_finds_the_model_in_the_servers_list(address, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "any")
    made = small(judges=(), people=0)
    made.config = {"judges": {"live": {"openai": "likes", "base_url": address, "key_env": "LOCAL_KEY"}}}
    assert "does not list likes; it lists 1 models: liking" in Cli(capsys)("check", made.write(tmp_path)).out
