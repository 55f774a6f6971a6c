#!/usr/bin/env bash
# Exchanges key files under a key at AWS KMS with Google Tink for Python, live: installs Tink with its AWS part into a
# virtual environment (TINK_VENV, or a throwaway folder), starts a server of its own that speaks KMS, and runs kms.py.
# Called as: kms.sh ETL LOCAL_STACK, the two programs.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
etl="$1" stack="$2"
work="$(mktemp -d)"
# The account of the servers walks through it.
chmod 711 "$work"
export LOCAL_STACK_HOME="$work/stack"
trap '"$stack" down > /dev/null 2>&1; rm -rf "$work"' EXIT

venv="${TINK_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
# Pinned: a failure is then our change, not theirs.
"$venv/bin/python" -c 'from tink.integration import awskms' 2> /dev/null \
    || "$venv/bin/pip" install --quiet 'tink[awskms]==1.16.1'

"$stack" up > /dev/null
eval "$("$stack" env)"
unset DATABASE_URL
"$venv/bin/python" "$here/kms.py" "$etl" "$ETL_ENDPOINT_URL"
