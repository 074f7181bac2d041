#!/usr/bin/env bash
# Starts the web server, asks it for its page over HTTP, records the deployment, and stops the server again: whatever a
# step leaves behind is ended with the step, so a server that must stay is started by systemd and its kind.
source "${BASH_SOURCE[0]%/*}/server.sh"

command -v python3 >/dev/null ||
    give_up "there is no python3 on the PATH of steps ($PATH)" "add its folder to steps.path in the daemon's configuration"
[[ -s $server/site/index.html ]] || give_up "$name has no page yet" "run its action configure first, or default"

# Port 0 is any free port; the first line of output says which.
exec {said}< <(exec python3 -u -m http.server --bind 127.0.0.1 --directory "$server/site" 0 2>"$server/access.log")
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
if ! read -r -t 30 line <&"$said" || [[ ! $line =~ \ port\ ([0-9]+) ]]; then
    give_up "the web server did not start: $(tail -n 1 "$server/access.log")" "read $server/access.log"
fi
port=${BASH_REMATCH[1]}
echo "started: $name at http://127.0.0.1:$port/ (process $pid)"

# Bash speaks TCP itself; curl may not be there.
exec {connection}<>"/dev/tcp/127.0.0.1/$port"
printf 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$name" >&"$connection"
answer=$(tr -d '\r' <&"$connection")
exec {connection}>&-
status=${answer%%$'\n'*}
echo "GET / → $status"
echo "${answer#*$'\n\n'}"
[[ $status == *" 200 "* && $answer == *"This is $name "* ]] ||
    give_up "$name answered, but not with its page" "read $server/access.log"

printf '%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name" \
    "${POINTSMAN_VERSION:-}" "${POINTSMAN_RUN_ID:-}" "${POINTSMAN_ACTOR:-}" >>"$table"
kill "$pid"
wait "$pid" || true
echo "stopped: $name answered; a step ends what it started, so the server does not stay"
printf 'port=%s\nstatus=%s\n' "$port" "$status" >>"${POINTSMAN_OUTPUT:-/dev/null}"
