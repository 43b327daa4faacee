#!/bin/sh
# Runs a PostgreSQL server of its own in the folder $1. Prints "ready" when it accepts connections,
# and stops when its input is closed. Debian installs the programs outside of the search path.
set -eu
trap : INT TERM HUP # sent to the tests and to this script: the server must still be stopped
folder=$1
for bin in /usr/lib/postgresql/*/bin; do
  PATH=$bin:$PATH
done
cd "$folder"
initdb -D data -A trust -U ledger -E UTF8 --no-locale >initdb.log 2>&1
options="-k $folder -c listen_addresses= -c max_connections=200"
pg_ctl -D data -l server.log -o "$options" -w -t 60 start >/dev/null
echo ready
cat >/dev/null || true
pg_ctl -D data -m immediate stop >/dev/null
cd / && rm -rf "$folder"
