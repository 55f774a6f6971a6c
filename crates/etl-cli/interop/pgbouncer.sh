#!/usr/bin/env bash
# Runs `etl` behind the PgBouncer of this machine, whatever its version: one that loses prepared statements is refused
# by name before anything is written, one that keeps them carries the rows.
# Called as: pgbouncer.sh ETL LOCAL_STACK, the two programs.
set -euo pipefail

etl="$1" stack="$2"
command -v pgbouncer > /dev/null \
    || { echo 'error: pgbouncer is not installed'; echo 'hint: apt-get install --no-install-recommends pgbouncer'; exit 1; }
version="$(pgbouncer --version | sed -n 's/^PgBouncer \([0-9]*\.[0-9]*\).*/\1/p')"
at_least() { [ "$(printf '%s\n' "$1" "$version" | sort --version-sort | head -n 1)" = "$1" ]; }

work="$(mktemp -d)"
# The account of the servers walks through it.
chmod 711 "$work"
export LOCAL_STACK_HOME="$work/stack"
poolers=()
stop() {
    [ "${#poolers[@]}" = 0 ] || kill "${poolers[@]}" 2> /dev/null || true
    "$stack" down > /dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT

fail() { echo "error: $1" && cat "$work"/*.log && exit 1; }

# It refuses to be root.
unprivileged=()
[ "$(id -u)" != 0 ] || unprivileged=(setpriv --reuid nobody --regid nogroup --clear-groups)

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# pooler NAME LINE…: a PgBouncer with these lines in its configuration. Its URL is in $url.
pooler() {
    local name="$1" port
    shift
    port="$(free_port)"
    # Its only user, whoever asks: the one of the server's URL.
    python3 - "$direct" "$port" "$@" > "$work/$name.ini" << 'PYTHON'
import sys, urllib.parse
url, port, lines = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], sys.argv[3:]
login = f" user={url.username}" + (f" password={url.password}" if url.password else "")
print(f"[databases]\n* = host={url.hostname} port={url.port}{login}")
print(f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any")
print("default_pool_size = 5", *lines, sep="\n")
PYTHON
    "${unprivileged[@]}" pgbouncer /dev/stdin < "$work/$name.ini" > "$work/$name.log" 2>&1 &
    poolers+=("$!")
    for _ in $(seq 100); do
        ! grep --quiet 'process up' "$work/$name.log" || break
        sleep 0.1
    done
    grep --quiet 'process up' "$work/$name.log" || fail "PgBouncer $version did not start"
    url="postgres://etl@127.0.0.1:$port/${direct##*/}"
}

# Past the pooler; fails where a message does not stand once.
rows() {
    "$etl" reconcile --output json \
        | python3 -c 'import json, sys; print(sum(day["rows"] for day in json.load(sys.stdin)["days"]))'
}

# refused NAME LINE…: nothing is written, and it is said who is at fault.
refused() {
    local before
    before="$(rows)"
    pooler "$@"
    "$etl" send --generate 20 > /dev/null 2>&1
    DATABASE_URL="$url" "$etl" run --no-migrate > "$work/run.log" 2>&1 && fail "$* was accepted"
    grep --quiet 'PgBouncer.*pool_mode = session' "$work/run.log" || fail "$* was not refused by name"
    [ "$(rows)" = "$before" ] || fail "$* wrote rows"
    echo "PgBouncer $version, $2${3:+, $3}: refused by name, nothing written"
}

# carries NAME LINE…: what stands on the queue is written, each row once.
carries() {
    local before summary
    before="$(rows)"
    pooler "$@"
    "$etl" send --generate 200 > /dev/null 2>&1
    DATABASE_URL="$url" "$etl" run --no-migrate --output json > "$work/summary.json" 2> "$work/run.log" || fail "$* did not work"
    summary="$(cat "$work/summary.json")"
    python3 - "$before" "$(rows)" "$summary" << 'PYTHON' || fail "$*: $summary"
import json, sys
before, after, told = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
# One in a hundred of the generated events cannot be read.
assert told["received"] >= 200 and told["written"] > 0.9 * told["received"]
assert told["written"] + told["rejected"] == told["received"]
assert after - before == told["written"]
PYTHON
    echo "PgBouncer $version, $2${3:+, $3}: $(rows) rows"
}

"$stack" up > /dev/null
eval "$("$stack" env)"
direct="$DATABASE_URL"
export ETL_QUEUE_NAME=pooled ETL_MASKING=base64 ETL_LOG_LEVEL=warn
"$stack" queue pooled --dead-letter pooled-dlq --max-receive-count 100 > /dev/null
"$etl" migrate > /dev/null

# The option came with 1.21, and older ones do not start with it.
if at_least 1.21; then
    refused forgetful 'pool_mode = transaction' 'max_prepared_statements = 0'
    carries transaction 'pool_mode = transaction' 'max_prepared_statements = 100'
else
    refused forgetful 'pool_mode = transaction'
fi
carries session 'pool_mode = session'
