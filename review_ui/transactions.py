"""From the event loop to the database and back: writes on its one writer thread, reads on a thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from judge.store.database import Database

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


async def write(
    database: Database, fn: Callable[Concatenate[Any, Asked], Answer], *args: Asked.args, **named: Asked.kwargs
) -> Answer:
    """Run `fn(transaction, ...)` as one write and give its result once it is durable.  Raises what `fn` raises."""
    return await asyncio.wrap_future(database.submit(lambda tx: fn(tx, *args, **named)))


async def read(
    database: Database, fn: Callable[Concatenate[Any, Asked], Answer], *args: Asked.args, **named: Asked.kwargs
) -> Answer:
    """Run `fn(transaction, ...)` on one consistent view, off the event loop.  Raises what `fn` raises."""

    def look() -> Answer:
        with database.read() as tx:
            return fn(tx, *args, **named)

    return await asyncio.to_thread(look)
