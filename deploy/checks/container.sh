#!/bin/sh
# The image. The Dockerfile's lints, and that its context is enough for cargo. Then the binary in the root of the image,
# where an engine builds it (image.sh), else in a root that holds it and the libraries that `ldd` names: it runs as process
# 1 of a PID namespace and as the image's user, drains a queue, and ends well on SIGTERM.
#
#   container.sh FOLDER ETL LOCAL_STACK      tools in FOLDER/venv, scratch space in FOLDER
set -eu
folder=$1 etl=$2 stack=$3
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
root=$folder/root
user=65532

fail() { echo "FAILED: $*" >&2 && exit 1; }

lints() {
    "$folder/venv/bin/hadolint" "$repository/Dockerfile"
    "$folder/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.compose-spec "$repository/docker-compose.yml"
    # The last of each is the one that counts.
    for line in "USER $user:$user" 'EXPOSE 9464' 'ENTRYPOINT ["/usr/local/bin/etl"]' 'STOPSIGNAL SIGTERM'; do
        name=${line%% *}
        [ "$(grep "^$name " "$repository/Dockerfile" | tail -1)" = "$line" ] || fail "the Dockerfile's $name is not: $line"
    done
}

# What .dockerignore lets in, which must hold all that the manifests name.
context() {
    rm -rf "$folder/context" && mkdir -p "$folder/context"
    (cd "$repository" && sed -n 's/^!//p' .dockerignore | xargs git ls-files --) | grep -v /fuzz/ > "$folder/context.list"
    (cd "$repository" && tar --create --files-from "$folder/context.list") | tar --extract --directory "$folder/context"
    (cd "$folder/context" && cargo metadata --locked --offline --no-deps --format-version 1 > /dev/null) \
        || fail 'cargo lacks something in the context of the image'
}

# The binary and its libraries, with the authorities for TLS that the base image has too.
empty_root() {
    rm -rf "$root" && mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs"
    cp "$etl" "$root/usr/local/bin/etl"
    ldd "$etl" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library"
    done
    [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    find "$root" -type f | sed "s#^$root#  #"
}

# Runs the binary in that root, as process 1 and as the image's user; without root, as the only user that there is.
contained() {
    if [ "$(id -u)" = 0 ]; then
        exec unshare --pid --fork --kill-child chroot --userspec="$user:$user" "$root" /usr/local/bin/etl "$@"
    fi
    exec unshare --map-root-user --pid --fork --kill-child chroot "$root" /usr/local/bin/etl "$@"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until a command succeeds.
until_true() {
    tries=600
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "waited in vain for: $*"
        sleep 0.1
    done
}

as_superuser() { "$stack" psql --username postgres --quiet "$@"; }

rows_are() { [ "$(as_superuser -Atc 'SELECT count(*) FROM user_logins')" = "$1" ]; }

# The worker, seen from outside: the child of the `unshare` that was started.
worker_of() { cat "/proc/$1/task/$1/children"; }

# Sends SIGTERM to process 1 of the namespace and waits: $1 is the `unshare`, $2 the exit code that is expected.
end_of() {
    worker=$(worker_of "$1")
    grep --quiet "^NSpid:.*[[:space:]]1$" "/proc/${worker% }/status" || fail 'the binary is not process 1'
    kill -TERM "${worker% }"
    code=0 && wait "$1" || code=$?
    [ "$code" = "$2" ] || { cat "$folder/run.log" >&2 && fail "exit code $code after SIGTERM, expected $2"; }
}

# The URL of DATABASE_URL for another role.
url_as() { echo "$DATABASE_URL" | sed "s#//[^@]*@#//$1:only-for-this-check@#"; }

# Owner and worker as deploy/postgres makes them, the tables by the owner.
roles() {
    as_superuser --set ON_ERROR_STOP=1 --file "$repository/deploy/postgres/roles.sql"
    as_superuser --command "ALTER ROLE etl_owner PASSWORD 'only-for-this-check'" \
        --command "ALTER ROLE etl_worker PASSWORD 'only-for-this-check'"
    DATABASE_URL=$(url_as etl_owner) "$etl" migrate > /dev/null
    as_superuser --set ON_ERROR_STOP=1 --command 'SET ROLE etl_owner' \
        --file "$repository/deploy/postgres/worker-rights.sql"
    DATABASE_URL=$(url_as etl_worker)
}

run_as_process_one() {
    (contained --version) || fail 'the binary does not start in its root'
    "$stack" up > /dev/null
    trap '"$stack" down > /dev/null 2>&1' EXIT
    eval "$("$stack" env)"
    export ETL_QUEUE_NAME=contained ETL_MASKING=redact
    ETL_METRICS_ADDR=127.0.0.1:$(free_port)
    export ETL_METRICS_ADDR
    "$stack" queue contained --dead-letter contained-dead-letters --max-receive-count 10 > /dev/null
    roles
    "$etl" send --generate 100 > /dev/null
    (contained run --follow --no-migrate) > "$folder/run.out" 2> "$folder/run.log" &
    unshare=$!
    until_true rows_are 99
    (contained healthcheck) || fail '`etl healthcheck` finds a worker unwell that works'
    end_of "$unshare" 0
    grep --quiet '^written  *99 ' "$folder/run.out" || fail "no summary after SIGTERM: $(cat "$folder/run.out")"
    # Before its first receive too, when the kernel would spare a process 1 that has no handler.
    "$stack" down --keep > /dev/null
    # Or what the first worker said would be found before the second has said anything.
    rm "$folder/run.log"
    (contained run --follow --no-migrate) > "$folder/run.out" 2> "$folder/run.log" &
    unshare=$!
    until_true grep --quiet --ignore-case 'database\|queue' "$folder/run.log"
    end_of "$unshare" 0
    echo "100 messages drained as process 1, user 65532 and role etl_worker in $contents; SIGTERM ends it with 0"
}

lints
echo 'Dockerfile and docker-compose.yml: lints and schema'
context
echo "image context: $(wc -l < "$folder/context.list") files, enough for cargo"
code=0 && "$here/image.sh" "$folder" || code=$?
case $code in
    0) contents='the root of the image' ;;
    3) contents='an empty root' && empty_root ;;
    *) exit "$code" ;;
esac
if unshare --pid --fork true 2> /dev/null || unshare --map-root-user --pid --fork true 2> /dev/null; then
    run_as_process_one
else
    echo 'SKIPPED: the binary as process 1: this machine gives no namespaces'
fi
