#!/usr/bin/env bash
# Exchanges values and keysets with Google Tink for Python, live: installs it into a virtual environment of its own
# (TINK_VENV, or a throwaway folder), builds examples/interop.rs and runs exchange.py against it.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
workspace="$(cd "$here/../../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

venv="${TINK_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
# Pinned: a failure is then our change, not theirs.
"$venv/bin/python" -c 'import tink' 2>/dev/null || "$venv/bin/pip" install --quiet 'tink==1.16.1'

# Optimised, since exchange.py also compares the speed of the two.
built="$(cargo build --release --quiet --manifest-path "$workspace/Cargo.toml" --package masking \
    --example interop --message-format json |
    python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "interop":
        print(message["executable"])')"

"$venv/bin/python" "$here/exchange.py" "$built" "$work"
