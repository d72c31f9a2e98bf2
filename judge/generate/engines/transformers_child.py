"""The transformers engine: a script that runs one model for another process, one JSON object a line on stdin and stdout.

It is started with an interpreter that has torch and transformers (and peft for adapters); what it says and hears is told in
`judge/generate/child.py`.  Greedy rows run in batches, padded on the left.  The padding is masked: in float32 a row was seen
not to depend on its neighbours, in narrower dtypes a few did.  Sampled rows run alone, each sample with a generator seeded by
seed, key and sample number.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import hashlib
import importlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

if __package__:
    from judge.generate.engines import fitting, wire
else:  # run by its path, where there is no blind-judge
    import fitting  # type: ignore[import-not-found,no-redef]
    import wire  # type: ignore[import-not-found,no-redef]

DTYPES: Final = ("auto", "bfloat16", "float16", "float32")
UNLIMITED: Final = 2**31 - 1  # max_len of a model without a largest position


def package(name: str) -> Any:
    """Import an engine's package, which blind-judge itself does not depend on."""
    try:
        return importlib.import_module(name)
    except ImportError as err:
        raise wire.Refusal("import", f"{sys.executable} cannot import {name}: {err}") from err


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The engine's arguments.  None: the graphics card if there is one; float32 on the processor, else as stored."""

    device: str | None = None
    dtype: str | None = None
    batch_size: int = 16


def read_options(given: Mapping[str, Any]) -> Options:
    """Check the engine's arguments; an unknown or impossible one is a Refusal that names what is possible."""
    known = ("device", "dtype", "batch_size")
    for name in given:
        if name not in known:
            raise wire.Refusal("option", f"{name}: unknown option of the transformers engine; known: {', '.join(known)}")
    options = Options(**given)
    if options.dtype is not None and options.dtype not in DTYPES:
        raise wire.Refusal("option", f"dtype: {options.dtype!r} is not known; known: {', '.join(DTYPES)}")
    if type(options.batch_size) is not int or options.batch_size < 1:
        raise wire.Refusal("option", f"batch_size: {options.batch_size!r} is not a whole number from 1")
    return options


def check_folders(model: str, adapters: Mapping[str, str]) -> None:
    """Refuse, before anything big is loaded, what no engine could load."""
    if Path(model).is_absolute() and not Path(model).is_dir():
        raise wire.Refusal("model", f"{model}: there is no such folder")
    fitting.look_at(model, adapters.values())
    for folder in adapters.values():
        if fitting.settings(Path(folder)).get("bias", "none") != "none":
            # peft leaves trained biases in place when the adapter is off: the base would no longer be the base.
            raise wire.Refusal("adapter", f"{folder}: an adapter with biases changes the base for good; merge it into a model")


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


def generator_seed(seed: str, key: str, sample: int) -> int:
    """Make a seed that belongs to one sample of one row, whatever else is asked."""
    digest = hashlib.sha256(json.dumps([seed, key, sample]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Model:
    """A loaded model with its tokenizer and adapters."""

    def __init__(self, pipe: wire.Pipe, path: str, adapters: Mapping[str, str], options: Options, seed: int) -> None:
        self.pipe = pipe
        self.torch = package("torch")
        self.transformers = package("transformers")
        self.adapters = dict(adapters)
        self.options = options
        self.seed = seed
        self.passes = 0
        self.device = self._device()
        with wire.failing_as("model", f"{path}: the tokenizer cannot be loaded"):
            self.tokenizer = self.transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        self.template = self._template(path)
        with wire.failing_as("model", f"{path}: the model cannot be loaded"):
            self.net = self._load(path)
        self.max_len = self._max_len()
        self.eos = self._eos()
        self.pad = next((i for i in (self.tokenizer.pad_token_id, *sorted(self.eos)) if i is not None), 0)
        # What the checkpoint says of sampling would fill every argument that a request leaves open.
        self.net.generation_config = self.transformers.GenerationConfig()
        for name, folder in self.adapters.items():
            with wire.failing_as("adapter", f"{folder}: the adapter cannot be loaded onto {path}"):
                self._add(name, folder)
        self.net.eval()

    def _device(self) -> Any:
        cuda = self.torch.cuda.is_available()
        wanted = self.options.device or ("cuda" if cuda else "cpu")
        with wire.failing_as("option", f"device: {wanted!r}"):
            device = self.torch.device(wanted)
            self.torch.empty(1, device=device)
        return device

    def _template(self, path: str) -> str:
        try:
            return str(self.tokenizer.get_chat_template())
        except ValueError as err:
            raise wire.Refusal("template", f"{path}: the model has no chat template (chat_template.jinja)") from err

    def _load(self, path: str) -> Any:
        dtype = self.options.dtype or ("float32" if self.device.type == "cpu" else "auto")
        net, told = self.transformers.AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, output_loading_info=True
        )
        lacking = sorted(told["missing_keys"])
        if lacking:  # they would be filled with random numbers
            raise wire.Refusal("model", f"{path}: the checkpoint lacks {len(lacking)} weights, the first is {lacking[0]}")
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
            raise wire.Refusal(
                "adapter", f"{folder}: made for another base; {len(astray)} weights have no match, such as {astray[0]}"
            )

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

    def text(self, row: wire.Row) -> str:
        """Give the prompt as the model reads it."""
        return str(self.tokenizer.apply_chat_template(list(row["messages"]), tokenize=False, add_generation_prompt=True))

    def prompts(self, rows: Sequence[wire.Row]) -> list[dict[str, str]]:
        """Give the text that each row becomes."""
        return [{"key": row["key"], "text": self.text(row)} for row in rows]

    def generate(self, adapter: str | None, sampling: Mapping[str, Any], rows: Sequence[wire.Row]) -> None:
        """Answer every row once, batch by batch."""
        self.passes += 1
        picking = Sampling(**sampling)
        prompts = []
        for row in rows:
            prompt = self._prompt(row, picking.max_tokens)
            if isinstance(prompt, Prompt):
                prompts.append(prompt)
            else:
                self.pipe.say("row", {"key": row["key"], "error": prompt})
        size, answer = (self.options.batch_size, self._greedy) if picking.temperature == 0 else (1, self._sampled)
        with self._using(adapter):
            for batch in batches(prompts, size, picking.max_tokens):
                with wire.failing_as("other", f"generating failed with batch_size {self.options.batch_size}"):
                    answers = answer(batch, picking)
                for prompt, samples in zip(batch, answers, strict=True):
                    self.pipe.say("row", {"key": prompt.key, "samples": samples})

    def _prompt(self, row: wire.Row, max_tokens: int) -> Prompt | str:
        """Make a row ready to run, or say what is wrong with it."""
        try:
            text = self.text(row)
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        except Exception as err:  # a template may refuse a conversation in its own words
            return f"template: {' '.join(str(err).split())}"
        if len(ids) >= self.max_len:
            return f"context: the prompt has {len(ids)} tokens, the model takes {self.max_len} with the answer"
        room = min(max_tokens, self.max_len - len(ids))
        return Prompt(key=row["key"], ids=ids, room=room, thinking=wire.opens_a_thought(text))

    def _using(self, adapter: str | None) -> contextlib.AbstractContextManager[Any]:
        if adapter is None and self.adapters:
            off: contextlib.AbstractContextManager[Any] = self.net.disable_adapter()
            return off
        if adapter is not None and adapter not in self.adapters:
            raise wire.Refusal("adapter", f"{adapter}: the engine was opened without this adapter")
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
        text, reasoning = wire.parted(text, prompt.thinking)
        return {
            "text": text,
            "reasoning": reasoning,
            "finish": "length" if end is None and cut is None else "stop",
            "tokens_in": len(prompt.ids),
            "tokens_out": used,
        }


def opened(pipe: wire.Pipe, *, model: str, adapters: Mapping[str, str], options: Mapping[str, Any], seed: int) -> Model:
    """Load a model with its adapters."""
    settings = read_options(options)
    check_folders(model, adapters)
    package("transformers").utils.logging.disable_progress_bar()
    return Model(pipe, model, adapters, settings, seed)


if __name__ == "__main__":
    wire.run(opened)
