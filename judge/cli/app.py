"""The command line as a whole: every command by name, and what each kind of failure leaves behind."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from judge import __version__
from judge.cli import examining, files, generating, reviews, rubrics, service, start, studies
from judge.cli.console import emit, note
from judge.errors import JudgeError, Parked

BUG: Final = 70
INTERRUPTED: Final = 130
_OF_THE_MACHINE: Final = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE,
    errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP,
})  # fmt: skip

app = typer.Typer(
    name="judge",
    help="Did the fine-tune help, and can the judge that says so be trusted?\n\nBegin with: judge demo",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def options(version: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True)) -> None:
    """Hold the options that come before a command."""
    if version:
        print(f"blind-judge {__version__}")  # noqa: T201
        raise typer.Exit


for group in (start.COMMANDS, generating.COMMANDS, studies.COMMANDS, examining.COMMANDS, service.COMMANDS, files.COMMANDS):
    for name, command in group.items():
        app.command(name)(command)
app.add_typer(reviews.app, name="review")
app.add_typer(rubrics.app, name="rubric")


def run(arguments: Sequence[str]) -> int:
    """Run one command line; give its exit code.  A traceback is printed for our own bugs only."""
    try:
        result = app(args=list(arguments), prog_name="judge", standalone_mode=False)
    except JudgeError as error:
        if isinstance(error, Parked) and "--json" in arguments:
            emit({"event": "parked", "text": str(error)})
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except (BrokenPipeError, SystemExit):  # the parser, which never leaves by itself here, makes the second of the first
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing more to say
        return 0
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
            return _of_the_machine(error)
        return _of_the_parser(error)
    if result == INTERRUPTED:  # what the parser makes of Ctrl-C inside a command
        return _interrupted()
    return result if isinstance(result, int) else 0


def _of_the_parser(error: Exception) -> int:
    """Show a mistake in the command line in one line; anything else is a bug of ours."""
    shown: Any = getattr(error, "format_message", None)
    if shown is not None:
        context = getattr(error, "ctx", None)
        command = "judge" if context is None else context.command_path
        text = " ".join(str(shown()).split()).rstrip(".")
        if text:
            _complain(f"{text}. Try `{command} --help`.")
        return 2
    if type(error).__name__ == "Abort":
        return _interrupted()
    import traceback

    traceback.print_exception(error)
    _complain(f"this is a bug in blind-judge {__version__}; please report it with the lines above")
    return BUG


def _of_the_machine(error: OSError) -> int:
    """Say what the machine refuses to do with a file: a right that lacks, a disk that is full."""
    _complain(f"{error.filename or 'a file'}: {error.strerror}. Give yourself the right, make room, or name another place.")
    return 2


def _interrupted() -> int:
    _complain("interrupted; what was finished is kept, the same command goes on")
    return INTERRUPTED


def _complain(text: str) -> None:
    note(f"judge: {text}")
