"""vLLM as an engine: questions in lines of JSON on stdin, answers on stdout, as `judge/generate/child.py` says.

Started by the interpreter of an environment with vllm, Python 3.10 to 3.13, so only the standard library and what vllm brings
is imported.  One pass is one arm: base and adapter never share a batch, since vllm was seen to mix them up there.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path
from platform import python_version
from typing import Any, Final, get_args

if __package__:
    from judge.generate.engines import fitting, wire
else:  # run by its path, where there is no blind-judge
    import fitting  # type: ignore[import-not-found,no-redef]
    import wire  # type: ignore[import-not-found,no-redef]

_RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)  # what vllm's releases without MaxLoRARanks take
_LAST_WORDS_S: Final = 5.0  # for vllm to say by itself why its process ended


class Engine:
    """A loaded model with the adapters that may be asked for."""

    def __init__(self, pipe: wire.Pipe, vllm: Any, llm: Any, adapters: Mapping[str, Any]) -> None:
        self._pipe = pipe
        self._vllm = vllm
        self._llm = llm
        self._adapters = adapters
        self._adapter: str | None = None
        self._tokenizer = llm.get_tokenizer()
        self._template = _template(llm, self._tokenizer)
        self._max_len = int(llm.llm_engine.model_config.max_model_len)
        self._batch = int(llm.llm_engine.vllm_config.scheduler_config.max_num_seqs)

    def about(self) -> dict[str, Any]:
        """Say what runs."""
        platform = import_module("vllm.platforms").current_platform
        device = str(platform.device_type)
        return {
            "engine": f"vllm {self._vllm.__version__}",
            "device": device if device == "cpu" else f"{device}: {platform.get_device_name(0)}",
            "dtype": str(self._llm.llm_engine.model_config.dtype).removeprefix("torch."),
            "max_len": self._max_len,
            "template": hashlib.sha256(self._template.encode()).hexdigest(),
            "versions": {
                "python": python_version(),
                "torch": version("torch"),
                "transformers": version("transformers"),
                "vllm": str(self._vllm.__version__),  # builds for other devices are distributed under other names
            },
        }

    def prompts(self, rows: Sequence[wire.Row]) -> list[dict[str, str]]:
        """Give the text that each row becomes."""
        return [{"key": row["key"], "text": self._text(row["messages"])} for row in rows]

    def generate(self, adapter: str | None, sampling: Mapping[str, Any], rows: Sequence[wire.Row]) -> None:
        """Answer every row.  A row that is too long or that the template refuses gets its error."""
        if adapter != self._adapter:
            self._llm.reset_prefix_cache()
            self._adapter = adapter
        lora = None if adapter is None else self._lora(adapter)
        for row, output in self._outputs(filter(self._able, rows), _sampling(self._vllm, sampling), lora):
            self._answer(row, output, sampling["n"])

    def _outputs(self, rows: Iterator[wire.Row], sample: Any, lora: Any) -> Iterator[tuple[wire.Row, Any]]:
        """Give each row's output as it ends.  The engine is kept full, so that a long answer holds no other up."""
        how = {"use_tqdm": False, "lora_request": lora}
        if not hasattr(self._llm, "enqueue_chat"):  # in older releases
            while batch := list(islice(rows, self._batch)):
                yield from zip(batch, self._llm.chat([row["messages"] for row in batch], sample, **how), strict=True)
            return
        asked: dict[str, wire.Row] = {}
        while True:
            if len(asked) < self._batch and (batch := list(islice(rows, self._batch))):
                names = self._llm.enqueue_chat([row["messages"] for row in batch], sample, **how)
                # The engine puts a random part behind a request's number, and answers by the number.
                asked |= {name.partition("-")[0]: row for name, row in zip(names, batch, strict=True)}
            if not asked:
                return
            for output in self._llm.llm_engine.step():
                if output.finished:
                    yield asked.pop(output.request_id), output

    def _lora(self, name: str) -> Any:
        if name not in self._adapters:
            raise wire.Refusal("adapter", f"the engine was opened without the adapter {name}")
        return self._adapters[name]

    def _able(self, row: wire.Row) -> bool:
        """Say why a row cannot be answered, before it takes others down."""
        try:
            text = self._text(row["messages"])
        except Exception as error:
            self._pipe.say("row", {"key": row["key"], "error": f"template: {wire.one_line(error)}"})
            return False
        tokens = len(self._tokenizer.encode(text, add_special_tokens=False))
        if tokens < self._max_len:
            return True
        problem = f"context: the prompt has {tokens} tokens, the model takes {self._max_len} with the answer"
        self._pipe.say("row", {"key": row["key"], "error": problem})
        return False

    def _text(self, messages: Any) -> str:
        text = self._tokenizer.apply_chat_template(
            messages, chat_template=self._template, tokenize=False, add_generation_prompt=True
        )
        return str(text)

    def _answer(self, row: wire.Row, output: Any, n: int) -> None:
        thinking = wire.opens_a_thought(self._text(row["messages"]))
        tokens_in = len(output.prompt_token_ids)
        samples = []
        for one in output.outputs:
            if one.finish_reason not in ("stop", "length"):
                self._pipe.say("row", {"key": row["key"], "error": f"engine: ended by {one.finish_reason}"})
                return
            text, reasoning = wire.parted(one.text, thinking)
            samples.append({
                "text": text,
                "reasoning": reasoning,
                "finish": one.finish_reason,
                "tokens_in": tokens_in,
                "tokens_out": len(one.token_ids),
            })  # fmt: skip
        # Greedy samples are all the same, and vllm makes one only.
        samples *= n // len(samples)
        self._pipe.say("row", {"key": row["key"], "samples": samples})


# --- Opening ---------------------------------------------------------------------------------------------------------


def opened(pipe: wire.Pipe, *, model: str, adapters: Mapping[str, str], options: Mapping[str, Any], seed: int) -> Engine:
    """Load the model and look at every adapter."""
    try:
        vllm: Any = import_module("vllm")
        lora_request = import_module("vllm.lora.request").LoRARequest
    except ImportError as error:
        raise wire.Refusal("import", f"{sys.executable}: {wire.one_line(error)}") from error
    if Path(model).is_absolute() and not Path(model).is_dir():  # vllm would take it for the name of a repository
        raise wire.Refusal("model", f"{model}: no such folder")
    # A checkpoint's own generation_config.json would change how one arm samples and not the other.
    settings = {"generation_config": "vllm", **_room(model, adapters, options), **options}
    try:
        llm = vllm.LLM(model=model, seed=seed, **settings)
    except Exception as error:
        raise wire.Refusal(_kind(error, options), wire.one_line(error)) from error
    requests = {name: lora_request(name, number, path) for number, (name, path) in enumerate(adapters.items(), 1)}
    # What lies in a folder was looked at before loading; of a hub's model the files are here only now.
    base = None if Path(model).is_dir() else _snapshot(model, options.get("revision"))
    for request in requests.values():
        _fit(llm, request, model, base)
    threading.Thread(target=_watch, args=(pipe, multiprocessing.active_children()), daemon=True).start()
    return Engine(pipe, vllm, llm, requests)


def _watch(pipe: wire.Pipe, processes: list[Any]) -> None:
    """Leave when a process of vllm is gone: vllm was seen to wait for ever for one that was killed, as for want of memory."""
    gone = wait([process.sentinel for process in processes]) if processes else []
    if not gone:
        return
    time.sleep(_LAST_WORDS_S)
    name, code = next((process.name, process.exitcode) for process in processes if process.sentinel in gone)
    why = " (SIGKILL); the system may have run out of memory" if code == -signal.SIGKILL else ""
    pipe.say("error", {"kind": "other", "text": f"vllm's process {name} ended with exit code {code}{why}"})
    wire.end_all()


def _room(model: str, adapters: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the LoRA settings that the adapters need.  Raises when they do not fit, or vllm has no room for their rank."""
    if not adapters:
        return {}
    most = options.get("max_lora_rank")
    limits = _ranks() if not isinstance(most, int) else (most,)
    fitting.look_at(model, adapters.values(), max(limits))
    rank = max(fitting.rank_of(Path(path)) for path in adapters.values())
    return {"enable_lora": True, "max_lora_rank": min(limit for limit in limits if limit >= rank)}


def _ranks() -> tuple[int, ...]:
    try:
        return get_args(import_module("vllm.config.lora").MaxLoRARanks)
    except (ImportError, AttributeError):
        return _RANKS


def _template(llm: Any, tokenizer: Any) -> str:
    try:
        return str(getattr(llm, "chat_template", None) or tokenizer.get_chat_template())
    except (ValueError, AttributeError) as error:
        raise wire.Refusal("template", f"the tokenizer of {llm.llm_engine.model_config.model} has no chat template") from error


def _sampling(vllm: Any, sampling: Mapping[str, Any]) -> Any:
    given = {name: value for name, value in sampling.items() if value is not None}
    if sampling["temperature"] == 0:
        given["n"] = 1
    try:
        return vllm.SamplingParams(**given)
    except (TypeError, ValueError) as error:
        raise wire.Refusal("option", wire.one_line(error)) from error


def _fit(llm: Any, request: Any, model: str, base: Path | None) -> None:
    """Load an adapter on trial.  vllm takes weights that are too narrow without a word, so shapes are compared as well."""
    reason = None if base is None else fitting.misfit(Path(request.lora_path), base)
    try:
        llm.llm_engine.add_lora(request)
    except Exception as error:
        traceback.print_exc()
        reason = reason or f"vllm: {wire.one_line(error).partition(', please check the stack trace')[0]}"
    if reason:
        raise wire.Refusal("adapter", f"{request.lora_path}: the adapter does not fit {model}: {reason}")


def _snapshot(model: str, revision: str | None) -> Path | None:
    """Find the files of a hub's model that has been loaded."""
    try:
        return Path(import_module("huggingface_hub").snapshot_download(model, revision=revision, local_files_only=True))
    except Exception:  # from elsewhere; the adapter is then judged by vllm alone
        return None


def _kind(error: BaseException, options: Mapping[str, Any]) -> str:
    """Sort what stopped the loading: memory, an option that the message names, else the model."""
    text = wire.one_line(error)
    if wire.short_of_memory(error):
        return "memory"
    if "keyword argument" in text or any(re.search(rf"\b{re.escape(name)}\b", text) for name in options):
        return "option"
    return "model"


if __name__ == "__main__":  # workers import this file again
    wire.run(opened)
