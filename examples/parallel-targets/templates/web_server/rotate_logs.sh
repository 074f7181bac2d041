#!/usr/bin/env bash
# rotate_logs.sh HOSTNAME STATE_FOLDER KEEP: access.log becomes access.log.1.gz, and so on up to KEEP.
set -euo pipefail

hostname=$1 state=$2 keep=$3
# The shell expands a tilde in its own text only, and this one came in a variable.
case $state in \~/*) state=$HOME${state#\~} ;; esac
mkdir -p "$state/$hostname"
cd "$state/$hostname"

echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) rotated by run ${POINTSMAN_RUN_ID:-} of ${POINTSMAN_ACTOR:-}" >>access.log
rm -f "access.log.$keep.gz"
for ((number = keep - 1; number >= 1; number--)); do
    if [[ -e access.log.$number.gz ]]; then
        mv "access.log.$number.gz" "access.log.$((number + 1)).gz"
    fi
done
gzip <access.log >access.log.1.gz
: >access.log
echo "logs of $hostname in $PWD:"
ls -l
