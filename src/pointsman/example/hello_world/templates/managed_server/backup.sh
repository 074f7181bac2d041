#!/usr/bin/env bash
# Dumps the server's data folder into an archive, reads it back, and keeps the last five.
source "${BASH_SOURCE[0]%/*}/server.sh"

keep=5
cd -- "$server/backups"
dump=$name-$(date -u +%Y%m%dT%H%M%S.%NZ).tar.gz

# The name of a dump is its promise to be whole, so it gets it last.
trap 'rm -f -- "$dump.part"' EXIT
tar -C "$server" -czf "$dump.part" data
tar -xzOf "$dump.part" "data/${table##*/}" | cmp -s - "$table" ||
    give_up "the dump does not hold what $table holds" "was it written to meanwhile? Run the backup again"
sum=$(sha256sum <"$dump.part")
sum=${sum%% *}
printf '%s  %s\n' "$sum" "$dump" >"$dump.sha256"
mv -- "$dump.part" "$dump"

dumps=("$name"-*.tar.gz)
for old in "${dumps[@]:0:${#dumps[@]} > keep ? ${#dumps[@]} - keep : 0}"; do
    rm -f -- "$old" "$old.sha256"
done

size=$(wc -c <"$dump")
echo "backup of $name: $(($(wc -l <"$table") - 1)) deployments"
echo "  file    $PWD/$dump"
echo "  size    $size bytes"
echo "  sha256  $sum"
kept=("$name"-*.tar.gz)
echo "  kept    ${#kept[@]} of at most $keep"
printf 'file=%s\nsize=%s\nsha256=%s\n' "$PWD/$dump" "$size" "$sum" >>"${POINTSMAN_OUTPUT:-/dev/null}"
