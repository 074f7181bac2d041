#!/usr/bin/env bash
# Writes the web server's configuration and its first page; says what is different from last time.
source "${BASH_SOURCE[0]%/*}/server.sh"

version=${POINTSMAN_VERSION:-by hand}

# A reader of the old file never sees half of the new one.
replaced() {
    cat >"$1.new"
    if cmp -s -- "$1.new" "$1"; then
        rm -f -- "$1.new"
        echo "unchanged: $1"
    else
        mv -- "$1.new" "$1"
        echo "written:   $1"
    fi
}

replaced "$server/server.conf" <<CONF
hostname = $name
environment = $POINTSMAN_ENVIRONMENT
root = $server/site
CONF

replaced "$server/site/index.html" <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>$name</title>
<h1>Hello, world</h1>
<p>This is $name ($POINTSMAN_ENVIRONMENT), configured by version $version.</p>
</html>
PAGE
