#!/bin/sh
# All checks and tests, on any machine with Python 3.11 or newer and Git.
#
#   sh tests/run.sh                all of it
#   sh tests/run.sh --fast         pure, property and golden tests only
#   sh tests/run.sh ARGUMENTS      pytest with these arguments, and nothing else
#
# PYTHON names the interpreter for .venv; by default the newest that works.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "tests/run.sh: $*" >&2
    exit 1
}

found_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        # run it: a version manager may have left a name that starts nothing
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer with venv was found; install one (on Debian: apt-get install python3-venv), or name it in PYTHON"
}

environment() {
    if [ ! -x .venv/bin/python ]; then
        python=$(found_python)
        "$python" -m venv .venv
    fi
    wanted="$(.venv/bin/python -V) $(cksum <pyproject.toml)"
    [ "$(cat .venv/installed 2>/dev/null)" = "$wanted" ] && return
    # dependency groups are known to pip since 25.1
    .venv/bin/python -m pip install -q -q --upgrade 'pip>=25.1'
    .venv/bin/python -m pip install -q -q -e . --group tests
    echo "$wanted" >.venv/installed
}

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    echo "tests/run.sh: installing $*" >&2
    apt-get update -qq >/dev/null || return 0
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 0
}

yaml_language_server() {
    [ ! -x .venv/node/node_modules/.bin/yaml-language-server ] || return 0
    command -v npm >/dev/null || apt_install nodejs npm
    command -v npm >/dev/null || return 0
    echo "tests/run.sh: installing yaml-language-server" >&2
    npm install --silent --no-fund --no-audit --prefix .venv/node yaml-language-server@1.25.0 >/dev/null || return 0
}

tools() {
    [ -x /usr/bin/chromium ] || apt_install chromium fonts-noto-core
    command -v strace >/dev/null || apt_install strace
    [ -x /usr/sbin/sshd ] || apt_install openssh-server
    yaml_language_server
    missing=
    [ -x /usr/bin/chromium ] || missing="$missing chromium"
    command -v strace >/dev/null || missing="$missing strace"
    [ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
    [ -x .venv/node/node_modules/.bin/yaml-language-server ] || missing="$missing nodejs npm"
    [ -n "$missing" ] || return 0
    [ "${CI:-}" != true ] || fail "missing:$missing; install with: apt-get install$missing"
    echo "tests/run.sh: missing:$missing; the tests that need it will be skipped" >&2
}

environment
case "${1:-}" in
    --fast)
        shift
        exec .venv/bin/python -m pytest -q -n 2 tests/pure tests/property tests/golden "$@"
        ;;
esac
tools
if [ $# -gt 0 ]; then
    exec .venv/bin/python -m pytest "$@"
fi

failed=
checked() {
    echo "── $*"
    ".venv/bin/$@" || failed="$failed $1"
}
checked ruff check
checked ruff format --check
checked mypy
checked lint-imports --no-logo
checked pytest -q -n 2 --ignore=tests/benchmarks tests
[ -z "$failed" ] || fail "failed:$failed"
