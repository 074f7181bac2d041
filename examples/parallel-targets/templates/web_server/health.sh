#!/usr/bin/env bash
# health.sh HOSTNAME: load and free memory of the machine that runs the step, as outputs of the step.
set -euo pipefail

hostname=$1
read -r load _ </proc/loadavg
while read -r key kib _; do
    if [[ $key == MemAvailable: ]]; then
        break
    fi
done </proc/meminfo
echo "$hostname: load $load on $(nproc) processors, $((kib / 1024)) MiB of memory available"
printf 'load=%s\navailable_mib=%s\n' "$load" "$((kib / 1024))" >>"$POINTSMAN_OUTPUT"
