#!/usr/bin/env bash
# disk_check.sh THRESHOLD: fails when more than THRESHOLD per cent of the server's disk is used.
#
# On a large disk a percentage says little: 97 % of 2 TB leaves 60 GB. So of what is used, at most 20 GiB count.
source "${BASH_SOURCE[0]%/*}/server.sh"

threshold=${1:-}
[[ $threshold =~ ^[0-9]+$ ]] || give_up "the threshold is '$threshold'" "disk_check.disk_threshold is a whole number"

{
    read -r _
    read -r disk _ used free _ mount
} < <(df -Pk -- "$server")
[[ $used =~ ^[0-9]+$ && $free =~ ^[0-9]+$ ]] || give_up "df does not say how full $server is" "run: df -Pk $server"

gib=$((1024 * 1024))
counted=$((used < 20 * gib ? used : 20 * gib))
# Rounded up, as df does it: a disk with nothing free is 100 % full, and never 99.
full=$(((counted * 100 + counted + free - 1) / (counted + free)))

echo "disk of $name: $disk on $mount, $((used / gib)) GiB used, $((free / gib)) GiB free"
echo "$full % full (of what is used, at most 20 GiB count); the threshold is $threshold %"
printf 'full_percent=%s\nfree_kib=%s\n' "$full" "$free" >>"${POINTSMAN_OUTPUT:-/dev/null}"
((full <= threshold)) ||
    give_up "the disk of $name is $full % full, over the threshold of $threshold %" \
        "free space on $mount, or raise disk_check.disk_threshold in the properties of ${POINTSMAN_TARGET:-this target}"
