# What action.yml runs: install, validate with annotations, and write the difference into the job's summary.
set -euo pipefail

command=${POINTSMAN:-}
if [ -z "$command" ]; then
    "$PYTHON" -m venv "$RUNNER_TEMP/pointsman"
    source=$GITHUB_ACTION_PATH/../../..
    [ -z "${INPUT_VERSION:-}" ] || source="pointsman==$INPUT_VERSION"
    "$RUNNER_TEMP/pointsman/bin/python" -m pip install --quiet --disable-pip-version-check "$source"
    command=$RUNNER_TEMP/pointsman/bin/pointsman
fi

warn() {
    echo "::warning title=Pointsman::$1"
}

# The commit at which the change left its base, so that what happened there since is not taken for a part of it.
base=
if [ -n "${INPUT_BASE:-}${GITHUB_BASE_REF:-}" ]; then
    refs=("+refs/tags/*:refs/tags/*")
    wanted=${INPUT_BASE:-}
    if [ -z "$wanted" ]; then
        wanted=refs/remotes/origin/$GITHUB_BASE_REF
        refs+=("+refs/heads/$GITHUB_BASE_REF:$wanted")
    fi
    deepen=()
    [ "$(git rev-parse --is-shallow-repository)" = false ] || deepen=(--unshallow)
    git fetch --quiet --no-tags "${deepen[@]}" origin "${refs[@]}" ||
        warn "the history and the tags could not be fetched: give actions/checkout fetch-depth 0"
    if tip=$(git rev-parse --quiet --verify --end-of-options "$wanted^{commit}"); then
        base=$(git merge-base "$tip" HEAD) || base=$tip
        base=$(git rev-parse --short=12 "$base")
    else
        warn "the base was not found, so nothing is compared with it"
    fi
fi

options=()
[ -z "${INPUT_ROOT:-}" ] || options+=(--root "$INPUT_ROOT")
judge=(validate "${options[@]}" --format github)
[ "${INPUT_STRICT:-false}" != true ] || judge+=(--strict)
[ -z "$base" ] || judge+=(--base "$base")

status=0
verdict=$("$command" "${judge[@]}" 2>&1 >"$RUNNER_TEMP/annotations") || status=$?
cat "$RUNNER_TEMP/annotations"
# a line that begins with :: is a command to the runner, whoever wrote it
sed 's/^/pointsman: /' <<<"$verdict"

{
    echo "## Pointsman"
    echo
    # indented, it is shown as it is
    sed 's/^/    /' <<<"$verdict"
    echo
    if [ -n "$base" ]; then
        "$command" diff "$base" HEAD "${options[@]}" --format markdown || echo "The difference could not be made."
    fi
} >>"$GITHUB_STEP_SUMMARY"
exit "$status"
