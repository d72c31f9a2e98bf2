"""One file for each way to get an answer; a further provider is one file and one line in `PROVIDERS`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from judge.calls.providers.anthropic import AnthropicProvider
from judge.calls.providers.base import ListedModel, Provider
from judge.calls.providers.openai import OpenAIProvider
from judge.calls.providers.server import Server

PROVIDERS: Final[Mapping[str, Callable[[str | None, str | None, int], OpenAIProvider | AnthropicProvider]]] = {
    "openai": OpenAIProvider,
    "anthropic": AnthropicProvider,
}


def models_of(name: str, base_url: str | None, key_env: str | None, timeout_s: float) -> list[ListedModel]:
    """List the models that a key may ask at a server, free of charge.

    Raises CallFailed when the list cannot be had, JudgeError without a key, KeyError for an unknown name.
    """

    async def ask() -> list[ListedModel]:
        provider = PROVIDERS[name](base_url, key_env, 1)
        try:
            return await provider.models(timeout_s)
        finally:
            await provider.close()

    return asyncio.run(ask())


def server_for(name: str, base_url: str | None, key_env: str | None) -> Server:
    """Say whom a provider of this name asks, with the key in which variable.  KeyError for an unknown name."""
    return PROVIDERS[name](base_url, key_env, 1).server


def provider_for(name: str, base_url: str | None, key_env: str | None, connections: int) -> Provider:
    """Make the provider of a name for one server and one key.  KeyError for an unknown name.

    connections: as many as calls may be open, of all models together; a call that waits for one is taken for a slow one.
    """
    return PROVIDERS[name](base_url, key_env, connections)
