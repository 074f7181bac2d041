#!/usr/bin/env bash
# deploy.sh FOLDER SERVICE RELEASE REPLICAS: writes the service's description, and shows what is different from before.
set -euo pipefail

folder=$1 service=$2 release=$3 replicas=$4
# The shell expands a tilde in its own text only, and this one came in a variable.
case $folder in \~/*) folder=$HOME${folder#\~} ;; esac
mkdir -p "$folder/$POINTSMAN_ENVIRONMENT"
file=$folder/$POINTSMAN_ENVIRONMENT/$service.conf

{
    echo "service = $service"
    echo "release = $release"
    for ((replica = 1; replica <= replicas; replica++)); do
        echo "replica = $service-$replica"
    done
} >"$file.new"
touch "$file"
# diff ends with 1 where there is a difference, which is what we are here for.
diff -u "$file" "$file.new" || true
mv "$file.new" "$file"
echo "$file: release $release, $replicas replicas"
