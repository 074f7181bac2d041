#!/bin/sh
# Pointsman in one command: makes a virtual environment in the checkout, the hello_world repository and a daemon in
# ./pointsman-example, and starts the rollout pipeline, which stops where a person decides. Ctrl-C stops the daemon;
# the run waits, and the same command goes on with it. Needs Python 3.11 or newer.
#
#   sh examples/try.sh [FOLDER]     another folder than ./pointsman-example
#   sh examples/try.sh --once       answers the gates itself, in a temporary folder that is removed afterwards
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
bin=$checkout/.venv/bin
again="sh $0"
once=
named=
stopped=
daemon=

fail() {
    echo "try.sh: $*" >&2
    exit 1
}

usage() {
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
}

# ── Python, and Pointsman in it ──────────────────────────────────────────────────────────────────────────────────────

found_python() {
    without_venv=
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        # Run it: a version manager may have left a name that starts nothing.
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
        without_venv=$name
    done
    [ -z "$without_venv" ] ||
        fail "$without_venv has no venv module; install it (on Debian: apt-get install python3-venv) and try again"
    fail "no Python 3.11 or newer was found; install one, or name it: PYTHON=/path/to/python3 $again"
}

install_pointsman() {
    if [ ! -x "$bin/python" ]; then
        python=$(found_python)
        echo "making a virtual environment in $checkout/.venv"
        "$python" -m venv "$checkout/.venv"
    fi
    # The source is installed in place, so only another Python or other dependencies make it necessary again. The tests
    # share the environment and have a mark of their own (tests/run.sh).
    wanted="$("$bin/python" -V) $(cksum <"$checkout/pyproject.toml")"
    for mark in tried installed; do
        [ "$(cat "$checkout/.venv/$mark" 2>/dev/null)" != "$wanted" ] || return 0
    done
    echo "installing Pointsman into it; this takes a minute, once"
    "$bin/python" -m pip install --quiet --disable-pip-version-check --editable "$checkout" ||
        fail "pip could not install Pointsman; it says why above. Then: $again"
    echo "$wanted" >"$checkout/.venv/tried"
}

# ── The repository and the daemon ────────────────────────────────────────────────────────────────────────────────────

prepare() {
    if [ -d "$folder/operations/.git" ]; then
        echo "going on with what is in $folder"
        return
    fi
    [ -z "$(ls -A "$folder" 2>/dev/null)" ] || fail "$folder holds something else; name another: sh $0 FOLDER"
    mkdir -p "$folder"
    "$bin/pointsman" init "$folder/operations" >/dev/null
}

free_port() {
    "$bin/python" - <<'PYTHON'
import socket

for port in range(8484, 8584):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(port)
        break
else:
    print(0)  # any port that is free
PYTHON
}

start_daemon() {
    port=0
    [ -n "$once" ] || port=$(free_port)
    # Everything stays in this folder: the servers of the example, too. Their scripts find this Python.
    HELLO_WORLD_STATE=$folder/servers \
        POINTSMAN_STEPS__PASS_ENVIRONMENT=HELLO_WORLD_STATE \
        POINTSMAN_STEPS__PATH=$bin:/usr/local/bin:/usr/bin:/bin \
        "$bin/pointsman" serve "$folder/operations" --data "$folder/data" --listen "127.0.0.1:$port" \
        --operator opschain >"$folder/ready" 2>>"$folder/daemon.log" &
    daemon=$!
    tenths=0
    until grep -q http "$folder/ready"; do
        kill -0 "$daemon" 2>/dev/null || broken "the daemon did not start"
        [ "$tenths" -lt 600 ] || broken "the daemon was not ready within a minute"
        tenths=$((tenths + 1))
        sleep 0.1
    done
    POINTSMAN_SERVER=$(sed -n 's|.*\(http://[^ ]*\).*|\1|p' "$folder/ready")
    export POINTSMAN_SERVER
    echo "the daemon is ready at $POINTSMAN_SERVER"
}

broken() {
    echo "--- what the daemon says (the last lines of daemon.log):" >&2
    tail -n 40 "$folder/daemon.log" >&2
    echo "---" >&2
    fail "$*"
}

finish() {
    code=$?
    trap - EXIT
    trap '' INT TERM HUP
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    [ -z "$once" ] || rm -rf -- "$folder"
    [ -z "$stopped" ] || echo "$stopped"
    exit "$code"
}

# ── The run ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# STATE NUMBER TAG STEPS of the run that matters: one under way, else one in the queue, else the newest.
rollout() {
    "$bin/python" - <<'PYTHON'
import json
import os
import urllib.request

path = "/api/v1/runs?workflow=/projects/hello_world/workflows/rollout-pipeline"
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with direct.open(os.environ["POINTSMAN_SERVER"] + path) as answer:
    runs = json.load(answer)["items"]
urgent = {"running": 0, "waiting": 0, "pending": 1}
for run in sorted(runs, key=lambda run: urgent.get(run["state"], 2))[:1]:
    print(run["state"], run["number"], run["tag"], run["step_count"])
PYTHON
}

run_to_the_gate() {
    code=0
    "$bin/pointsman" run rollout-pipeline --wait --until-gate || code=$?
    # 3: stopped at a gate, which is where it has to stop.
    [ "$code" -eq 3 ] || broken "the run did not come to its gate; pointsman run ended with $code"
    number=$(rollout | cut -d ' ' -f 2)
}

# Goes on with a run of an earlier try, once it stands at a gate. False if there is none that could.
resume() {
    said=
    while :; do
        now=$(rollout)
        number=$(echo "$now" | cut -d ' ' -f 2)
        case $now in
            waiting\ *) break ;;
            running\ * | pending\ *)
                [ -n "$said" ] || echo "run $number goes on where it was"
                said=yes
                sleep 0.3
                ;;
            *) return 1 ;;
        esac
    done
    "$bin/pointsman" runs show "$number"
}

is_open() {
    "$bin/pointsman" inbox -q | grep -qx "$1"
}

answer_the_gates() {
    "$bin/pointsman" continue "$number:4" -m "Development and staging answer" || broken "the wait was not continued"
    tenths=0
    until is_open "$number:5"; do
        [ "$tenths" -lt 50 ] || broken "the approval did not open"
        tenths=$((tenths + 1))
        sleep 0.1
    done
    "$bin/pointsman" approve "$number:5" -m "Go" || broken "the approval was not given"
    "$bin/pointsman" runs watch "$number" >/dev/null || broken "the run did not succeed"
    "$bin/pointsman" runs show "$number"
    rollout | {
        read -r state run tag steps
        echo "$state: rollout-pipeline $tag, run $run, $steps steps"
    }
}

say_what_next() {
    cat <<TEXT

Run $number waits for you, in the page or in a second terminal:
  look       $POINTSMAN_SERVER/runs/$number
  type       . '$bin/activate' && export POINTSMAN_SERVER=$POINTSMAN_SERVER
TEXT
    is_open "$number:5" || echo "             pointsman continue $number:4 -m 'development and staging answer'"
    cat <<TEXT
             pointsman approve $number:5 -m 'go'
  stop       Ctrl-C here; the run waits, and this goes on with it: $again
TEXT
}

stay() {
    stopped="The daemon has stopped. Again: $again   Remove: rm -rf '$folder'"
    trap 'echo; exit 0' INT TERM HUP
    wait "$daemon" || true
    daemon=
    stopped=
    broken "the daemon has ended by itself"
}

# ── All of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

for argument; do
    case $argument in
        --once) once=yes ;;
        -h | --help)
            usage
            exit
            ;;
        -*) fail "$argument is no option; there are --once and --help" ;;
        *)
            named=$argument
            again="$again '$argument'"
            ;;
    esac
done
[ -z "$once" ] || [ -z "$named" ] || fail "--once makes a folder of its own and removes it; leave out $named"
folder=${named:-pointsman-example}
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
# What is set here may be meant for a real daemon on this machine.
for variable in $(env | sed -n 's/^\(POINTSMAN_[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$variable"
done

install_pointsman
[ -z "$once" ] || folder=$(mktemp -d "${TMPDIR:-/tmp}/pointsman-XXXXXX")
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
prepare
start_daemon
if [ -n "$once" ]; then
    run_to_the_gate
    answer_the_gates
else
    resume || run_to_the_gate
    say_what_next
    stay
fi
