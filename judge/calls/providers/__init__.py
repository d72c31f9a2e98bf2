"""One file for each way to get an answer; a further provider is one file and one line in `PROVIDERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from judge.calls.providers.anthropic import AnthropicProvider
from judge.calls.providers.base import Provider
from judge.calls.providers.openai import OpenAIProvider

PROVIDERS: Final[Mapping[str, Callable[[str | None, str | None, int], Provider]]] = {
    "openai": OpenAIProvider,
    "anthropic": AnthropicProvider,
}


def provider_for(name: str, base_url: str | None, key_env: str | None, connections: int) -> Provider:
    """Make the provider of a name for one server and one key.  KeyError for an unknown name."""
    return PROVIDERS[name](base_url, key_env, connections)
