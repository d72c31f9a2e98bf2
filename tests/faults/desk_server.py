"""A review server without pages, made to be killed: JSON lines over a socket, one line a doing.

    python tests/faults/desk_server.py DATABASE SOCKET BEGAN

Time goes SPEED times as fast as the clock since BEGAN (seconds since 1970), so that leases end during a test: what lies
ahead after half a second, what is held after three.
"""

from __future__ import annotations

import json
import random
import socketserver
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from judge import desk
from judge.errors import JudgeError
from judge.store.opening import open_database

SPEED = 600
START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def main(place: str, socket: str, began: float) -> None:
    """Serve until killed."""
    database = open_database(place)

    def now() -> datetime:
        return START + timedelta(seconds=SPEED * (time.time() - began))

    class Annotator(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                said = answer(database, json.loads(line), now())
                time.sleep(random.random() / 100)  # as far away as a browser: many a kill falls between deed and answer
                try:
                    self.wfile.write(json.dumps(said).encode() + b"\n")
                except (BrokenPipeError, ConnectionResetError):
                    return

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

    Path(socket).unlink(missing_ok=True)
    with Server(socket, Annotator) as server:
        server.serve_forever()


def answer(database: Any, asked: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Do one thing; `refused` is final, `failed` is worth another try."""
    who = (asked["study"], asked["person"])
    try:
        match asked["do"]:
            case "open":
                found = database.submit(desk.open_desk, *who, now).result()
                return {"state": found.state, "shown": token(found.current), "behind": token(found.upcoming)}
            case "vote":
                said = desk.Answers(choice=asked["choice"], comment=asked["comment"])
                vote = desk.Vote(task=asked["task"], client_id=asked["client_id"], answers=said, next=asked["next"])
                voted = database.submit(desk.vote, *who, vote, now).result()
                return {"late": voted.late, "repeated": voted.repeated, "lost": voted.lost, "behind": token(voted.upcoming)}
            case "draft":
                said = desk.Answers(comment=asked["comment"])
                database.submit(desk.save_draft, *who, asked["task"], said, now).result()
                return {}
            case _:
                return {"shown": token(database.submit(desk.take_back, *who, now).result())}
    except JudgeError as error:
        return {"refused": str(error)}
    except Exception as error:
        return {"failed": repr(error)}


def token(task: desk.Task | None) -> str | None:
    """The name of a task, if there is one."""
    return None if task is None else task.token


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
