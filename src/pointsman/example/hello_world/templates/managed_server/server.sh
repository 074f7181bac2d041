#!/usr/bin/env bash
# What the other scripts share, by `source`: where this server's folder is, and how to give up.
#
# SERVER_NAME and STATE_FOLDER come from the action's `env:`. Where a machine wants the folders elsewhere,
# HELLO_WORLD_STATE wins; the daemon passes it on if its configuration says so (steps.pass_environment).
set -euo pipefail
umask 077

give_up() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 1
}

# shellcheck disable=SC2034 # the scripts that source this file use it
name=${SERVER_NAME:?is set by the action}
state=${HELLO_WORLD_STATE:-${STATE_FOLDER:?is set by the action}}
# The shell expands a tilde in its own text only, and this one came in a variable.
case $state in \~ | \~/*) state=$HOME${state#\~} ;; esac
case $state in /*) ;; *) give_up "the state folder $state is relative" "write state_folder as /… or ~/…" ;; esac

server=$state/${POINTSMAN_ENVIRONMENT:?is set for every step}
table=$server/data/deployments.tsv
mkdir -p "$server/data" "$server/backups" "$server/site" ||
    give_up "the state folder $server cannot be made" "set state_folder to a folder that $(id -un) may write to"
[[ -s $table ]] || printf 'time\thostname\tversion\trun\tactor\n' >"$table"
