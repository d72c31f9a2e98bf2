"""The parent's side of an engine: a process that runs a model, in an environment of its own.

    with EngineProcess(python, script, model, adapters={digest: path}, options={}, seed=0) as engine:
        rows = engine.generate(asks, decoding, adapter=digest)

Both sides write JSON objects with one key, one a line.  What the engine prints goes to stderr, whose end is kept for messages.

    we say      {"open": {"model", "adapters": {NAME: PATH}, "options", "seed"}}                  once, first
                {"generate": {"adapter": NAME or null, "sampling": {...}, "rows": [{"key", "messages"}]}}
                {"prompts": {"rows": [...]}}
                {"close": {}}, or the end of input
    it says     {"ready": {"engine", "device", "dtype", "max_len", "template", "versions"}}      after open
                {"row": {"key", "samples": [...]}} or {"row": {"key", "error"}}                  each row once, in any order
                {"done": {}}                                                                      after the rows of a generate
                {"prompts": [{"key", "text"}]}                                                    after prompts
                {"error": {"kind", "text"}}                                                       then it leaves

An exchange that fails, is interrupted or breaks these rules ends the engine: nobody knows what it would say next.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, get_args

from judge.domain import Decoding
from judge.errors import EngineError, EngineFault
from judge.generate.engines.wire import MEMORY
from judge.generate.exchange import About, Ask, Row, about_of, by_key, row_of, texts_of, written

_LOOK_S: Final = 0.5  # between two looks whether a silent engine still lives
_PARTING_S: Final = 20.0  # for an idle engine to leave by itself
_TERM_S: Final = 5.0  # for one that was told to stop
_TAIL: Final = 65536  # bytes of stderr that are searched for a reason
_LONGEST: Final = 400  # characters of a reason that are shown

_ERROR: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b: .*")
_POINTER: Final = re.compile(r"root cause", re.I)  # how vllm says that its reason stands elsewhere in its log

HINTS: Final[Mapping[EngineFault, str]] = {
    "model": "check the model's path or name; one that is not on this machine must be downloaded first",
    "adapter": "name the folder of a trained adapter, and the base model that it was trained on",
    "rank": "raise max_lora_rank in study.yaml, or leave it out",
    "template": "take a model that was made for chats, or put its chat_template.jinja into the model's folder",
    "option": "mend the engine's options in study.yaml",
    "other": "try the same command again; what came until now is kept",
    "memory": "free memory, take a smaller model, or give a smaller max_model_len in study.yaml",
}


class EngineProcess:
    """One model in a process of its own, from `with` to the end of the block.

    python: the interpreter of an environment with the engine.  adapters: path by name, all that may be asked for; empty: an
    engine without LoRA.  options: passed through to the engine.  Raises EngineError for whatever the engine cannot do.
    """

    def __init__(
        self, python: str, script: Path, model: str, *, adapters: Mapping[str, str], options: Mapping[str, Any], seed: int
    ) -> None:
        self._python = python
        self._script = script
        self._name = script.stem.removesuffix("_child")
        self._opening = {"model": model, "adapters": dict(adapters), "options": dict(options), "seed": seed}
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._unread = bytearray()
        self._about: About | None = None

    @property
    def about(self) -> About:
        """What runs, in the engine's words."""
        if self._about is None:
            raise RuntimeError("the engine was not started")
        return self._about

    @property
    def pid(self) -> int | None:
        """The running process, which leads a process group of its own."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self._spawn()
        with self._exchange():
            self._say("open", self._opening)
            _, said = self._hear("ready")
            self._about = about_of(said)
            if self._about is None:
                raise self._broken("a ready without its values")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def generate(
        self, asks: Sequence[Ask], decoding: Decoding, adapter: str | None = None, told: Callable[[Row], None] | None = None
    ) -> list[Row]:
        """Answer every ask, in the asks' order.  told: is given each row as it arrives, in any order."""
        wanted = by_key(asks)
        rows: dict[str, Row] = {}
        with self._exchange():
            self._say("generate", {"adapter": adapter, "sampling": asdict(decoding), "rows": written(asks)})
            while (heard := self._hear("row", "done"))[0] == "row":
                row = row_of(heard[1], decoding.n)
                if row is None:
                    raise self._broken(f"a row without its values: {_shown(json.dumps(heard[1]))}")
                if row.key in rows or row.key not in wanted:
                    raise self._broken(f"a row that was {'given before' if row.key in rows else 'never asked'}: {row.key}")
                rows[row.key] = row
                if told:
                    told(row)
            if len(rows) < len(wanted):
                raise self._broken(f"done, with {len(wanted) - len(rows)} of {len(wanted)} rows missing")
        return [rows[ask.key] for ask in asks]

    def prompts(self, asks: Sequence[Ask]) -> dict[str, str]:
        """Give the text that the model would read for each ask, by key, made by the model's own chat template."""
        wanted = by_key(asks)
        with self._exchange():
            self._say("prompts", {"rows": written(asks)})
            _, said = self._hear("prompts")
            texts = texts_of(said)
            if texts is None or texts.keys() != wanted:
                raise self._broken("prompts that are not those of the rows")
        return texts

    def close(self) -> None:
        """End the engine: it is given the time to leave by itself, then it is killed with all it started."""
        self._end(_PARTING_S)

    # --- Words ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        """Hold one question and its answers; what breaks it, an interrupt too, ends the engine."""
        if self._process is None:
            raise EngineError("the engine does not run any more", kind="other", at=self._name)
        try:
            yield
        except BaseException:
            self._end(0)
            raise

    def _say(self, word: str, value: Any) -> None:
        pipe = self._running().stdin
        assert pipe is not None
        with suppress(BrokenPipeError):  # it has gone; what it said at last is read by whoever listens for the answer
            pipe.write(json.dumps({word: value}).encode() + b"\n")
            pipe.flush()

    def _hear(self, *words: str) -> tuple[str, Any]:
        """Give the next message, which must be one of `words`, and its value."""
        line = self._line().decode(errors="replace")
        try:
            said = json.loads(line)
        except ValueError as error:
            raise self._broken(f"what is no JSON: {_shown(line)}") from error
        match said:
            case {"error": {"kind": str(kind), "text": str(text)}}:
                raise self._fault(kind, text)
            case dict() if len(said) == 1 and (word := next(iter(said))) in words:
                return word, said[word]
        raise self._broken(f"something else than {' or '.join(words)}: {_shown(line)}")

    def _line(self) -> bytes:
        process, start = self._running(), 0
        assert process.stdout is not None
        ready = select.poll()
        ready.register(process.stdout, select.POLLIN)
        while (end := self._unread.find(b"\n", start)) < 0:
            start = len(self._unread)
            if ready.poll(_LOOK_S * 1000):
                piece = os.read(process.stdout.fileno(), 1 << 16)
            elif process.poll() is None:
                continue
            else:  # gone, though workers that outlived it still hold the pipe
                piece = b""
            if not piece:
                raise self._gone()
            self._unread += piece
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line

    # --- What went wrong -----------------------------------------------------------------------------------------------

    def _fault(self, kind: str, text: str) -> EngineError:
        known = fault_of(kind)
        reason = self._last_words() if _POINTER.search(text) else None
        if reason and MEMORY.search(reason):
            known = "memory"
        return self._error(known, f"{_shown(text)} {reason}" if reason else _shown(text))

    def _gone(self) -> EngineError:
        """Say how the engine ended and what it printed last."""
        process = self._running()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_S)
        code, words = process.returncode, self._last_words()
        match code:
            case None:
                how = "the engine closed its output without leaving"
            case -9:
                how = "the engine was killed (SIGKILL); the system may have run out of memory"
            case _ if code < 0:
                how = f"the engine was ended by signal {-code} ({signal.strsignal(-code)})"
            case _:
                how = f"the engine left with exit code {code}"
        kind: EngineFault = "memory" if words and MEMORY.search(words) else "other"
        killed = code is not None and code < 0  # it had no time to say why
        told = f"{how}; its last words: {words}" if words and not (killed and kind == "other") else how
        return self._error(kind, told)

    def _broken(self, what: str) -> EngineError:
        return self._error("other", f"the engine broke its rules; it said {what}")

    def _error(self, kind: EngineFault, problem: str) -> EngineError:
        return EngineError(problem, kind=kind, at=self._name, hint=self._environment if kind == "import" else HINTS.get(kind))

    @property
    def _environment(self) -> str:
        if self._name == "transformers":  # it runs where we run
            return f"install it beside blind-judge: {self._python} -m pip install 'blind-judge[transformers]'"
        return f"name the interpreter of an environment with {self._name} in study.yaml: {self._name}: {{python: PATH}}"

    def _last_words(self) -> str | None:
        """Give the line of stderr that tells most: the last exception, else the last line."""
        assert self._stderr is not None
        size = os.fstat(self._stderr.fileno()).st_size
        # The engine writes at the offset that we share with it; pread leaves it where it is.
        tail = os.pread(self._stderr.fileno(), _TAIL, max(0, size - _TAIL)).decode(errors="replace")
        lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", tail).splitlines() if line.strip()]
        errors = [found[0] for line in lines if (found := _ERROR.search(line)) and not _POINTER.search(line)]
        return _shown((errors or lines)[-1]) if lines else None

    # --- The process ---------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        environment = {**os.environ, "VLLM_NO_USAGE_STATS": "1", "PYTHONUNBUFFERED": "1"}
        if Path(str(self._opening["model"])).is_dir():
            environment["HF_HUB_OFFLINE"] = "1"
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            # A session of its own: engines start workers, which must end with them, and an interrupt is ours to handle.
            self._process = subprocess.Popen(
                [self._python, str(self._script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self._stderr.close()
            problem = f"{self._python} cannot be run: {error.strerror or error}"
            raise EngineError(problem, kind="import", at=self._name, hint=self._environment) from error

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _end(self, patience_s: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None and self._stderr is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TERM_S)
        finally:
            _signal_group(process.pid, signal.SIGKILL)  # workers may have outlived it
            process.wait()
            process.stdout.close()
            self._stderr.close()
            self._unread.clear()


def fault_of(kind: str) -> EngineFault:
    """Take an engine's word for what went wrong."""
    return next((name for name in get_args(EngineFault) if name == kind), "other")


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, number)


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
