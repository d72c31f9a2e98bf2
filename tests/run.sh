#!/bin/sh
# Sets up a test environment beside the checkout and passes every check; arguments go to pytest.
#   sh tests/run.sh                 everything
#   sh tests/run.sh -k alpha -x     the same checks, a part of the tests
set -eu
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
venv="${JUDGE_TEST_VENV:-.venv-tests}"

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    if ! "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        # Debian splits ensurepip off into python3-venv.
        if [ "$(id -u)" != 0 ]; then
            echo "tests/run.sh: this Python cannot make a virtual environment. Install it: sudo apt-get install python3-venv" >&2
            exit 1
        fi
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
    fi
    rm -rf "$venv"
    "$PYTHON" -m venv "$venv"
fi

# Install again only when what is asked for has changed.
wanted="$(cat pyproject.toml constraints.txt | cksum) $(pwd)"
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev,postgres,transformers]"
    printf '%s' "$wanted" >"$venv/installed"
fi

# The browser tests need a Chromium: the system's, else Debian's, else the one that playwright brings.
chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if [ -z "${CHROMIUM:-}" ] && ! chromium >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        # A mirror that does not answer is tried once more; without a browser nothing can be said about the pages.
        install_chromium() { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
        install_chromium || { sleep 10 && install_chromium; } || { echo "tests/run.sh: chromium cannot be installed" >&2; exit 1; }
    else
        "$venv/bin/python" -m playwright install chromium
    fi
fi

"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy"
"$venv/bin/lint-imports" --no-logo --no-cache
exec "$venv/bin/python" -m pytest "$@"
