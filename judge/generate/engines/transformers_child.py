"""The transformers engine: a script that runs one model for another process, one JSON object a line on stdin and stdout.

It is started with an interpreter that has torch and transformers (and peft for adapters), which need not be the one that
blind-judge runs on; so it imports nothing of blind-judge.  What can go wrong for good is told as one `error` line, what is
wrong with one row as that row's error.

Greedy rows run in batches, padded on the left; the padding is masked, so a row does not depend on its neighbours.  Sampled
rows run alone, each sample with a generator seeded by seed, key and sample number.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import hashlib
import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

Say = Callable[[Mapping[str, Any]], None]
Row = Mapping[str, Any]  # key, messages

DTYPES: Final = ("auto", "bfloat16", "float16", "float32")
OUT_OF_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory")
UNLIMITED: Final = 2**31 - 1  # max_len of a model without a largest position
LONGEST_TEXT: Final = 400  # characters of an engine's own message; a shape mismatch names every layer


class Fatal(Exception):
    """The engine cannot go on.  `kind` is one of the contract's words, the text one line of bearable length."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        text = " ".join(text.split())
        super().__init__(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT].rstrip() + " ...")


@contextlib.contextmanager
def failing_as(kind: str, doing: str) -> Iterator[None]:
    """Turn whatever is raised inside into a Fatal of this kind; too little memory keeps its own kind."""
    try:
        yield
    except Fatal:
        raise
    except Exception as err:
        text = str(err) or type(err).__name__
        short = isinstance(err, MemoryError) or any(words in text.lower() for words in OUT_OF_MEMORY)
        raise Fatal("memory" if short else kind, f"{doing}: {text}") from err


def package(name: str) -> Any:
    """Import an engine's package, which blind-judge itself does not depend on."""
    try:
        return importlib.import_module(name)
    except ImportError as err:
        raise Fatal("import", f"{sys.executable} cannot import {name}: {err}") from err


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The engine's arguments.  None: the graphics card if there is one; float32 on the processor, else as stored."""

    device: str | None = None
    dtype: str | None = None
    batch_size: int = 16


def read_options(given: Mapping[str, Any]) -> Options:
    """Check the engine's arguments; an unknown or impossible one is a Fatal that names what is possible."""
    known = ("device", "dtype", "batch_size")
    for name in given:
        if name not in known:
            raise Fatal("option", f"{name}: unknown option of the transformers engine; known: {', '.join(known)}")
    options = Options(**given)
    if options.dtype is not None and options.dtype not in DTYPES:
        raise Fatal("option", f"dtype: {options.dtype!r} is not known; known: {', '.join(DTYPES)}")
    if type(options.batch_size) is not int or options.batch_size < 1:
        raise Fatal("option", f"batch_size: {options.batch_size!r} is not a whole number from 1")
    return options


def check_folders(model: str, adapters: Mapping[str, str]) -> None:
    """Refuse, before anything big is loaded, what no engine could load."""
    if Path(model).is_absolute() and not Path(model).is_dir():
        raise Fatal("model", f"{model}: there is no such folder")
    for folder in adapters.values():
        with failing_as("adapter", f"{folder}: adapter_config.json cannot be read"):
            config = json.loads((Path(folder) / "adapter_config.json").read_bytes())
        if config.get("bias", "none") != "none":
            # peft leaves trained biases in place when the adapter is off: the base would no longer be the base.
            raise Fatal("adapter", f"{folder}: an adapter with biases changes the base for good; merge it into a model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are picked; temperature 0 is greedy."""

    temperature: float
    top_p: float | None
    max_tokens: int
    stop: Sequence[str]
    seed: int | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One row ready to run.  `room` is how many tokens its answer may have."""

    key: str
    ids: list[int]
    room: int
    thinking: bool  # the template itself opens the reasoning


def batches(prompts: Iterable[Prompt], size: int, max_tokens: int) -> Iterator[list[Prompt]]:
    """Group prompts to run together; one with less room than max_tokens runs alone, for a group runs as long as it may."""
    group: list[Prompt] = []
    for prompt in prompts:
        if prompt.room < max_tokens:
            yield [prompt]
            continue
        group.append(prompt)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Say where the earliest stop string begins."""
    return min((at for at in map(text.find, stops) if at >= 0), default=None)


def apart(text: str, thinking: bool) -> tuple[str | None, str]:
    """Split an answer into reasoning, if it begins with any, and text.  Reasoning that is never closed leaves no text.

    thinking: the prompt has opened it already.
    """
    if not thinking and not text.lstrip().startswith("<think>"):
        return None, text
    reasoning, _, answer = text.partition("</think>")
    return reasoning.lstrip().removeprefix("<think>").strip() or None, answer.lstrip()


def generator_seed(seed: str, key: str, sample: int) -> int:
    """Make a seed that belongs to one sample of one row, whatever else is asked."""
    digest = hashlib.sha256(json.dumps([seed, key, sample]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Model:
    """A loaded model with its tokenizer and adapters."""

    def __init__(self, path: str, adapters: Mapping[str, str], options: Options, seed: int) -> None:
        self.torch = package("torch")
        self.transformers = package("transformers")
        self.adapters = dict(adapters)
        self.options = options
        self.seed = seed
        self.passes = 0
        self.device = self._device()
        with failing_as("model", f"{path}: the tokenizer cannot be loaded"):
            self.tokenizer = self.transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        self.template = self._template(path)
        with failing_as("model", f"{path}: the model cannot be loaded"):
            self.net = self._load(path)
        self.max_len = self._max_len()
        self.eos = self._eos()
        self.pad = next((i for i in (self.tokenizer.pad_token_id, *sorted(self.eos)) if i is not None), 0)
        # What the checkpoint says of sampling would fill every argument that a request leaves open.
        self.net.generation_config = self.transformers.GenerationConfig()
        for name, folder in self.adapters.items():
            with failing_as("adapter", f"{folder}: the adapter cannot be loaded onto {path}"):
                self._add(name, folder)
        self.net.eval()

    def _device(self) -> Any:
        cuda = self.torch.cuda.is_available()
        wanted = self.options.device or ("cuda" if cuda else "cpu")
        with failing_as("option", f"device: {wanted!r}"):
            device = self.torch.device(wanted)
            self.torch.empty(1, device=device)
        return device

    def _template(self, path: str) -> str:
        try:
            return str(self.tokenizer.get_chat_template())
        except ValueError as err:
            raise Fatal("template", f"{path}: the model has no chat template (chat_template.jinja)") from err

    def _load(self, path: str) -> Any:
        dtype = self.options.dtype or ("float32" if self.device.type == "cpu" else "auto")
        net, told = self.transformers.AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, output_loading_info=True
        )
        lacking = sorted(told["missing_keys"])
        if lacking:  # they would be filled with random numbers
            raise Fatal("model", f"{path}: the checkpoint lacks {len(lacking)} weights, the first is {lacking[0]}")
        return net.to(self.device)

    def _max_len(self) -> int:
        positions = getattr(self.net.config.get_text_config(), "max_position_embeddings", None)
        return min(int(positions or self.tokenizer.model_max_length), UNLIMITED)

    def _eos(self) -> set[int]:
        found: set[int] = set()
        for owner in (self.net.generation_config, self.net.config, self.tokenizer):
            ids = getattr(owner, "eos_token_id", None)
            found.update(ids if isinstance(ids, list | tuple) else [] if ids is None else [ids])
        return found

    def _add(self, name: str, folder: str) -> None:
        peft = package("peft")
        if not isinstance(self.net, peft.PeftModel):
            self.net = peft.PeftModel.from_pretrained(self.net, folder, adapter_name=name)
        told = self.net.load_adapter(folder, adapter_name=name)
        astray = [*told.unexpected_keys, *(key for key in told.missing_keys if name in key)]
        if astray:  # peft itself only warns
            raise Fatal("adapter", f"{folder}: made for another base; {len(astray)} weights have no match, such as {astray[0]}")

    def about(self) -> dict[str, Any]:
        """Say what runs, for the record beside the outputs."""
        device = "cpu" if self.device.type == "cpu" else str(self.device)
        if self.device.type == "cuda":
            device = f"cuda: {self.torch.cuda.get_device_name(self.device)}"
        versions = {"python": platform.python_version()}
        for name in ("torch", "transformers", *(["peft"] if self.adapters else [])):
            versions[name] = str(package(name).__version__)
        return {
            "engine": f"transformers {versions['transformers']}",
            "device": device,
            "dtype": str(self.net.dtype).removeprefix("torch."),
            "max_len": self.max_len,
            "template": hashlib.sha256(self.template.encode()).hexdigest(),
            "versions": versions,
        }

    def text(self, row: Row) -> str:
        """Give the prompt as the model reads it."""
        return str(self.tokenizer.apply_chat_template(list(row["messages"]), tokenize=False, add_generation_prompt=True))

    def generate(self, rows: Sequence[Row], sampling: Sampling, adapter: str | None, say: Say) -> None:
        """Answer every row once, batch by batch.  A row's seconds are its share of the batch's."""
        self.passes += 1
        prompts = []
        for row in rows:
            prompt = self._prompt(row, sampling.max_tokens)
            if isinstance(prompt, Prompt):
                prompts.append(prompt)
            else:
                say({"row": {"key": row["key"], "error": prompt}})
        size, answer = (self.options.batch_size, self._greedy) if sampling.temperature == 0 else (1, self._sampled)
        with self._using(adapter):
            for batch in batches(prompts, size, sampling.max_tokens):
                begun = time.perf_counter()
                with failing_as("other", f"generating failed with batch_size {self.options.batch_size}"):
                    answers = answer(batch, sampling)
                seconds = round((time.perf_counter() - begun) / len(batch), 6)
                for prompt, samples in zip(batch, answers, strict=True):
                    say({"row": {"key": prompt.key, "samples": samples, "seconds": seconds}})

    def _prompt(self, row: Row, max_tokens: int) -> Prompt | str:
        """Make a row ready to run, or say what is wrong with it."""
        try:
            text = self.text(row)
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        except Exception as err:  # a template may refuse a conversation in its own words
            return f"template: {' '.join(str(err).split())}"
        if len(ids) >= self.max_len:
            return f"context: the prompt has {len(ids)} tokens, the model takes {self.max_len} with the answer"
        room = min(max_tokens, self.max_len - len(ids))
        return Prompt(key=row["key"], ids=ids, room=room, thinking=text.rstrip().endswith("<think>"))

    def _using(self, adapter: str | None) -> contextlib.AbstractContextManager[Any]:
        if adapter is None and self.adapters:
            off: contextlib.AbstractContextManager[Any] = self.net.disable_adapter()
            return off
        if adapter is not None and adapter not in self.adapters:
            raise Fatal("adapter", f"{adapter}: the engine was opened without this adapter")
        if adapter is not None:
            self.net.set_adapter(adapter)
        return contextlib.nullcontext()

    def _greedy(self, batch: Sequence[Prompt], sampling: Sampling) -> list[list[dict[str, Any]]]:
        return [[sample] * sampling.n for sample in self._run(batch, sampling)]

    def _sampled(self, batch: Sequence[Prompt], sampling: Sampling) -> list[list[dict[str, Any]]]:
        # Without a seed of their own, two passes differ, and so do two engines of different seeds.
        seed = f"engine {self.seed}, pass {self.passes}" if sampling.seed is None else str(sampling.seed)
        answers: list[list[dict[str, Any]]] = []
        for prompt in batch:
            samples = []
            for number in range(sampling.n):
                self.torch.manual_seed(generator_seed(seed, prompt.key, number))
                samples += self._run([prompt], sampling)
            answers.append(samples)
        return answers

    def _run(self, batch: Sequence[Prompt], sampling: Sampling) -> list[dict[str, Any]]:
        width = max(len(prompt.ids) for prompt in batch)
        gaps = [width - len(prompt.ids) for prompt in batch]
        ids = [[self.pad] * gap + prompt.ids for gap, prompt in zip(gaps, batch, strict=True)]
        mask = [[0] * gap + [1] * (width - gap) for gap in gaps]
        criteria = [functools.partial(self._stopped, sampling.stop, width)] if sampling.stop else []
        with self.torch.inference_mode():
            out = self.net.generate(
                input_ids=self.torch.tensor(ids, device=self.device),
                attention_mask=self.torch.tensor(mask, device=self.device),
                generation_config=self._picking(sampling, min(prompt.room for prompt in batch)),
                stopping_criteria=self.transformers.StoppingCriteriaList(criteria),
            )
        made = out[:, width:].tolist()
        return [self._sample(prompt, new, sampling.stop) for prompt, new in zip(batch, made, strict=True)]

    def _picking(self, sampling: Sampling, max_new_tokens: int) -> Any:
        greedy = sampling.temperature == 0
        return self.transformers.GenerationConfig(
            do_sample=not greedy,
            temperature=1.0 if greedy else sampling.temperature,
            top_p=1.0 if greedy or sampling.top_p is None else sampling.top_p,
            top_k=50 if greedy else 0,  # 50 is the library's default, and not looked at; 0 is none
            typical_p=1.0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            num_beams=1,
            num_return_sequences=1,
            min_length=0,
            max_new_tokens=max_new_tokens,
            eos_token_id=sorted(self.eos) or None,
            pad_token_id=self.pad,
            use_cache=True,
        )

    def _stopped(self, stops: Sequence[str], width: int, ids: Any, _scores: Any, **_: Any) -> Any:
        """Tell the generation loop which rows hold a stop string."""
        reach = 1 + max(len(stop.encode()) for stop in stops)  # a token is a byte or more
        fresh = [row[width:] for row in ids.tolist()]
        hit = [self._holds(row[-reach:], stops) and self._holds(row, stops) for row in fresh]
        return self.torch.tensor(hit, device=ids.device)

    def _holds(self, ids: Sequence[int], stops: Sequence[str]) -> bool:
        return first_stop(self._decode(ids), stops) is not None

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _sample(self, prompt: Prompt, ids: Sequence[int], stops: Sequence[str]) -> dict[str, Any]:
        """Read one row of generated tokens; what follows its end is padding."""
        end = next((place for place, token in enumerate(ids) if token in self.eos), None)
        text = self._decode(ids[:end])
        used = len(ids) if end is None else end + 1
        cut = first_stop(text, stops)
        if cut is not None:
            used = bisect.bisect_left(range(used), True, key=lambda n: self._holds(ids[:n], stops))
            text = text[:cut]
        reasoning, text = apart(text, prompt.thinking)
        return {
            "text": text,
            "reasoning": reasoning,
            "finish": "length" if end is None and cut is None else "stop",
            "tokens_in": len(prompt.ids),
            "tokens_out": used,
        }


def own_stdout() -> Say:
    """Keep the real stdout for the protocol; whatever engines print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def say(message: Mapping[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    return say


def opened(ask: Mapping[str, Any]) -> Model:
    """Load what an `open` asks for."""
    options = read_options(ask["options"])
    check_folders(ask["model"], ask["adapters"])
    package("transformers").utils.logging.disable_progress_bar()
    return Model(ask["model"], ask["adapters"], options, ask["seed"])


def serve(lines: BinaryIO, say: Say) -> None:
    """Answer line after line until `close` or the end of input."""
    model: Model | None = None
    for line in lines:
        match json.loads(line):
            case {"open": ask} if model is None:
                model = opened(ask)
                say({"ready": model.about()})
            case {"generate": ask} if model is not None:
                model.generate(ask["rows"], Sampling(**ask["sampling"]), ask["adapter"], say)
                say({"done": {}})
            case {"prompts": {"rows": rows}} if model is not None:
                with failing_as("template", "the chat template refused a conversation"):
                    texts = [{"key": row["key"], "text": model.text(row)} for row in rows]
                say({"prompts": texts})
            case {"close": _}:
                return
            case _:
                raise Fatal("other", f"not understood here: {line.decode(errors='replace')[:80]}")


def main() -> int:
    """Serve; give the exit code."""
    say = own_stdout()
    try:
        with failing_as("other", "the transformers engine failed"):
            serve(sys.stdin.buffer, say)
    except Fatal as fatal:
        traceback.print_exc()
        say({"error": {"kind": fatal.kind, "text": str(fatal)}})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
