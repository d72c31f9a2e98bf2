"""A stand-in for an engine: it speaks the language of `judge.generate.child`, and every answer and fault is chosen.

    EngineProcess(sys.executable, STAND_IN, "tiny", adapters={}, options={"fault": "die", "after": 2}, seed=0)

An answer is made of the model's name, the adapter, the messages, the sample and the seed; a greedy one of the first three.
A model or an adapter with a slash in its name must be a folder: config.json with `hidden_size`, chat_template.jinja, and
adapter_config.json with `r` and, to be refused, another `hidden_size`.

options     max_model_len: words that a chat may have, 512 unless told; max_lora_rank: 64 unless told; anything else is unknown
fault       one of FAULTS, or a kind: the engine then refuses to open for that reason
after       rows answered before the fault, 0 unless told
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

KINDS = ("model", "adapter", "rank", "template", "option", "memory", "import", "other")
OPTIONS = ("fault", "after", "max_model_len", "max_lora_rank")
TEMPLATE = "{role}: {content}"


class Refusal(Exception):
    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


# --- Faults: what happens instead of the next row -----------------------------------------------------------------------


def killed(row):
    os.kill(os.getpid(), signal.SIGKILL)


def ended(row):
    os.kill(os.getpid(), signal.SIGTERM)


def left(row):
    sys.stderr.write("Traceback (most recent call last):\n  somewhere\nvalue.StrangeError: the weights have melted\nbye\n")
    sys.exit(3)


def out_of_memory(row):
    sys.stderr.write("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n")
    sys.exit(1)


def pointer(row):
    sys.stderr.write("(EngineCore pid=7) ERROR 11-24 [core.py:1] RuntimeError: the true reason\n")
    raise Refusal("other", "The core failed. See root cause above.")


def silent(row):
    OUT.close()
    time.sleep(60)


def slow(row):
    time.sleep(0.05)
    say("row", row)


def deaf(row):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def worker(row):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    killed(row)


FAULTS = {
    "die": killed, "ended": ended, "leave": left, "out_of_memory": out_of_memory, "pointer": pointer, "silent": silent,
    "slow": slow, "deaf": deaf, "worker": worker,
    "no_json": lambda row: OUT.write("Loading weights: 100%\n") and OUT.flush(),
    "unknown_word": lambda row: say("progress", 0.5),
    "unknown_row": lambda row: say("row", {**row, "key": "nobody"}),
    "missing_row": lambda row: None,
    "twice": lambda row: (say("row", row), say("row", row)),
    "few_samples": lambda row: say("row", {**row, "samples": row["samples"][1:]}),
    "no_text": lambda row: say("row", {**row, "samples": [{**one, "text": None} for one in row["samples"]]}),
    "empty_row": lambda row: say("row", {}),
    "row_error": lambda row: say("row", {"key": row["key"], "error": "template: roles must alternate"}),
}  # fmt: skip


# --- Answers ------------------------------------------------------------------------------------------------------------


def say(word, value):
    OUT.write(json.dumps({word: value}) + "\n")
    OUT.flush()


def opened(model, adapters, options, seed):
    for name in options:
        if name not in OPTIONS:
            raise Refusal("option", f"StandIn() got an unexpected keyword argument '{name}'")
    fault = options.get("fault")
    if fault in KINDS:
        raise Refusal(fault, f"the stand-in was told to refuse: {fault}")
    folder = Path(model)
    if "/" in model and not folder.is_dir():
        raise Refusal("model", f"{model} is no folder with a model")
    if "/" in model and not (folder / "chat_template.jinja").is_file():
        raise Refusal("template", f"the tokenizer of {model} has no chat template")
    for path in adapters.values():
        if "/" in path:
            fits(path, folder, options.get("max_lora_rank", 64))
    return {
        "engine": "stand-in 1", "device": "cpu", "dtype": "float32", "max_len": options.get("max_model_len", 512),
        "template": hashlib.sha256(TEMPLATE.encode()).hexdigest(), "versions": {"python": sys.version.split()[0]},
    }  # fmt: skip


def fits(path, folder, most):
    try:
        config = json.loads((Path(path) / "adapter_config.json").read_text())
    except OSError as error:
        raise Refusal("adapter", f"{path}: {error.strerror}") from error
    if config["r"] > most:
        raise Refusal("rank", f"{path}: the adapter has rank {config['r']}, max_lora_rank is {most}")
    wide = json.loads((folder / "config.json").read_text())["hidden_size"]
    if config.get("hidden_size", wide) != wide:
        raise Refusal("adapter", f"{path}: made for {config['hidden_size']} values, the base has {wide}")


def prompt(messages):
    return "\n".join(TEMPLATE.format(**message) for message in messages) + "\nassistant:"


def answered(begun, adapter, sampling, row):
    words = len(prompt(row["messages"]).split())
    most = begun["options"].get("max_model_len", 512)
    if words >= most:
        return {"key": row["key"], "error": f"context: the prompt has {words} tokens, the model takes {most} with the answer"}
    samples = []
    for sample in range(sampling["n"]):
        chance = [] if sampling["temperature"] == 0 else [sampling["seed"], begun["seed"], sample]
        said = json.dumps([begun["model"], adapter, row["messages"], *chance])
        text = f"{'tuned' if adapter else 'base'} {hashlib.sha256(said.encode()).hexdigest()[:12]}"
        samples.append({"text": text, "reasoning": None, "finish": "stop", "tokens_in": words, "tokens_out": 2})
    return {"key": row["key"], "samples": samples}


def generate(begun, adapter, sampling, rows):
    if adapter is not None and adapter not in begun["adapters"]:
        raise Refusal("adapter", f"the engine was opened without the adapter {adapter}")
    fault, after = begun["options"].get("fault"), begun["options"].get("after", 0)
    for place, asked in enumerate(reversed(rows)):  # any order is right
        row = answered(begun, adapter, sampling, asked)
        if fault and place >= after:
            FAULTS[fault](row)
        else:
            say("row", row)
    say("done", {})


def serve():
    begun = {}
    for line in sys.stdin:
        ((word, value),) = json.loads(line).items()
        match word:
            case "open":
                begun = value
                say("ready", opened(**value))
            case "generate":
                generate(begun, **value)
            case "prompts":
                say("prompts", [{"key": row["key"], "text": prompt(row["messages"])} for row in value["rows"]])
            case "close":
                return


OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
if __name__ == "__main__":
    try:
        serve()
    except Refusal as refusal:
        say("error", {"kind": refusal.kind, "text": str(refusal)})
        sys.exit(1)
