#!/bin/sh
# Builds the image where Docker or Podman answers, holds it to what the manifests count on, and unpacks it into
# FOLDER/root, for container.sh to run the binary in. The first build takes minutes, later ones what has changed.
#
#   image.sh FOLDER      exits with 3, and says why, where no engine can build here
set -eu
folder=$1
repository=$(cd "$(dirname "$0")/../.." && pwd)
tag=etl-check

cannot() { echo "SKIPPED: the build of the image: $*" && exit 3; }
fail() { echo "FAILED: $*" >&2 && exit 1; }

engine_at_hand() {
    for name in docker podman; do
        "$name" info > /dev/null 2>&1 && echo "$name" && return
    done
    return 1
}

# What the Dockerfile builds on, by name.
bases() {
    version=$(sed -n 's/^ARG RUST_VERSION=//p' "$repository/Dockerfile")
    sed -n 's/^FROM \([^ ]*\).*/\1/p' "$repository/Dockerfile" | sed "s/\${RUST_VERSION}/$version/"
}

inspected() { "$engine" image inspect --format "$1" "$tag"; }

configuration() {
    found=$(inspected '{{.Config.User}} {{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.StopSignal}}')
    [ "$found" = '65532:65532 [/usr/local/bin/etl] [run --follow] SIGTERM' ] || fail "the image is configured as: $found"
    inspected '{{json .}}' | tr -d '[:space:]' | grep --quiet '"Test":\["CMD","/usr/local/bin/etl","healthcheck"\]' \
        || fail 'the image has no HEALTHCHECK'
}

unpack() {
    rm -rf "$folder/root" && mkdir -p "$folder/root"
    container=$("$engine" create "$tag")
    "$engine" export "$container" | tar --extract --no-same-owner --directory "$folder/root"
    "$engine" rm "$container" > /dev/null
    for tool in sh bash busybox apt dpkg; do
        [ -z "$(find "$folder/root" -path '*/bin/*' -name "$tool")" ] || fail "the image has a $tool"
    done
}

engine=$(engine_at_hand) || cannot 'neither Docker nor Podman answers'
for base in $(bases); do
    "$engine" image inspect "$base" > /dev/null 2>&1 || "$engine" pull --quiet "$base" > /dev/null 2>&1 \
        || cannot "$base cannot be pulled"
done
# Podman's own format has no HEALTHCHECK, and leaves it out with a warning.
BUILDAH_FORMAT=docker "$engine" build --tag "$tag" "$repository" > "$folder/build.log" 2>&1 \
    || { tail -20 "$folder/build.log" >&2 && fail "the image does not build; $folder/build.log has the rest"; }
configuration
unpack
echo "image: built by $engine, $(du --summarize --human-readable "$folder/root" | cut -f1) unpacked"
