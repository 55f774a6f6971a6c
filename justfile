# Recipes of the project; `just` lists them. Every one that CI runs is called from here by name.

set shell := ["sh", "-euc"]

target := env("CARGO_TARGET_DIR", justfile_directory() / "target")
etl_binary := target / "debug" / "etl"
stack := target / "debug" / "local-stack"

# List the recipes
default:
    @just --list --unsorted

# Run the whole job on sample events against a local Postgres and SQS, and show the masked rows
etl masking="base64": build
    #!/bin/sh
    set -eu
    '{{ stack }}' up
    eval "$('{{ stack }}' env)"
    export ETL_QUEUE_NAME=login-queue ETL_LOG_LEVEL="${ETL_LOG_LEVEL:-warn}"
    '{{ stack }}' queue login-queue --dead-letter login-queue-dlq --max-receive-count 10 > /dev/null
    # Keys for development: made the first time, and kept.
    key() {
        file='{{ justfile_directory() }}'/.local/keys/$1.json
        [ -e "$file" ] || { mkdir -p "${file%/*}" && '{{ etl_binary }}' keyset new --scheme "$1" --out "$file" >&2; }
        echo "$file"
    }
    export ETL_MASKING='{{ masking }}'
    case $ETL_MASKING in
        aes-siv | hmac-sha256) ETL_KEYSET=$(key "$ETL_MASKING") && export ETL_KEYSET ;;
        # For addresses only: the other column needs another scheme, and a key of its own.
        ipcrypt-pfx)
            ETL_MASK_DEVICE_ID=aes-siv ETL_KEYSET_DEVICE_ID=$(key aes-siv) ETL_KEYSET=$(key ipcrypt-pfx)
            export ETL_MASK_DEVICE_ID ETL_KEYSET_DEVICE_ID ETL_KEYSET ;;
    esac
    '{{ etl_binary }}' migrate
    '{{ etl_binary }}' send --generate 100
    echo
    '{{ etl_binary }}' run
    echo
    '{{ stack }}' show
    case $ETL_MASKING in aes-siv | ipcrypt-pfx)
        echo
        echo 'Who holds the key recovers a value, and leaves a record of it (ETL_AUDIT_LOG):'
        last='SELECT masked_ip FROM user_logins WHERE masked_ip IS NOT NULL ORDER BY ctid DESC LIMIT 1'
        echo "  echo MASKED_IP | etl unmask --masking $ETL_MASKING --keyset ${ETL_KEYSET#'{{ justfile_directory() }}'/} --domain ip"
        if masked=$('{{ stack }}' psql -Atqc "$last" 2> /dev/null); then
            export ETL_AUDIT_LOG='{{ justfile_directory() }}/.local/audit.jsonl'
            echo "  $masked  ->  $(echo "$masked" | '{{ etl_binary }}' unmask --domain ip)"
        fi ;;
    esac
    echo
    echo 'The servers keep running: `just psql` opens the table, `just down` stops them and removes their data.'

# Stop what `just etl` started, and remove its data
down: build-stack
    @'{{ stack }}' down

# Open the table in psql
psql: build-stack
    @'{{ stack }}' psql

# Run all tests, or those of one crate: `just test masking`
test crate="":
    cargo test {{ if crate == "" { "--workspace" } else { "--package " + crate } }} --all-features

# Run the pipeline's simulation on many seeds: faults, outages, crashes, and the law that must hold after each
simulate seeds="10000":
    SEEDS='{{ seeds }}' cargo test --profile simulate --package etl-cli --bin etl -- simulation --nocapture

# Replay one seed of the simulation, with all that happened
simulate-seed seed:
    SEED='{{ seed }}' cargo test --profile simulate --package etl-cli --bin etl -- every_message --nocapture

# Run the binary under faults, kill -9 and outages, minutes long: `kills`, `outage`, `redrive`, `workers`, `rolling`, or all without a name
soak *names:
    cargo test --profile simulate --package etl-cli --test soak -- {{ names }}

# Build what `just etl` runs
build:
    cargo build --package etl-cli --package local-stack

# Both packages, as `build` does: one alone has other features in its dependencies, and would be built anew.
[private]
build-stack:
    @cargo build --quiet --package etl-cli --package local-stack

# Build the binary for production
release:
    cargo build --release --package etl-cli

# Measure `etl run` beside the bare SDK loop and other consumers: `just bench --messages 500000`; `just bench figures` for latency, memory, idling and start, `just bench workers` for 1 to 8 on one queue, `just bench micro` for the stages, `just bench ledger` for a ledger of ten million rows, `just bench partitions` for tables in partitions beside plain ones
bench *arguments: build-bench
    #!/bin/sh
    set -eu
    if [ '{{ arguments }}' = micro ]; then
        exec cargo bench --package login-model --package masking --package pg-writer --all-features
    fi
    if [ '{{ arguments }}' = ledger ]; then
        exec cargo run --release --package pg-writer --example ledger
    fi
    if [ '{{ arguments }}' = partitions ]; then
        exec cargo run --release --package pg-writer --example partitions
    fi
    export LOCAL_STACK_HOME='{{ bench_folder }}/stack' AWS_RETRY_MODE=standard
    stack='{{ target }}/release/local-stack' etl='{{ target }}/release/etl'
    trap '"$stack" down > /dev/null 2>&1' EXIT
    "$stack" up
    eval "$("$stack" env)"
    "$etl" migrate > /dev/null
    [ -f '{{ bench_folder }}/keyset.json' ] || "$etl" keyset new --out '{{ bench_folder }}/keyset.json'
    set -- {{ arguments }}
    if [ "${1:-}" = figures ] || [ "${1:-}" = workers ]; then
        script=$1 && shift
        '{{ bench_python }}' "bench/$script.py" --etl "$etl" --stack "$stack" --keyset '{{ bench_folder }}/keyset.json' "$@"
        exit
    fi
    set -- --peer 'Python, boto3 and psycopg2={{ bench_python }} bench/peers/python_peer.py'
    if [ -d '{{ bench_folder }}/node/node_modules' ]; then
        set -- "$@" --peer 'Node, sqs-consumer and pg=node {{ bench_folder }}/node/consumer.js'
    fi
    '{{ bench_python }}' bench/contenders.py --etl "$etl" --stack "$stack" \
        --bare-loop '{{ target }}/as-it-comes/examples/bare_loop' --keyset '{{ bench_folder }}/keyset.json' \
        "$@" {{ arguments }}

bench_folder := target / "bench"
bench_python := bench_folder / "venv/bin/python"

[private]
build-bench:
    #!/bin/sh
    set -eu
    cargo build --release --package etl-cli --package local-stack
    cargo build --profile as-it-comes --package sqs-reader --example bare_loop
    [ -x '{{ bench_python }}' ] || python3 -m venv '{{ bench_folder }}/venv'
    '{{ bench_python }}' -m pip install --quiet --requirement bench/peers/requirements.txt
    if command -v npm > /dev/null; then
        mkdir -p '{{ bench_folder }}/node'
        cp bench/peers/node/* '{{ bench_folder }}/node/'
        npm install --silent --no-audit --no-fund --prefix '{{ bench_folder }}/node' > /dev/null
    fi

# Run the Lambda function under cargo-lambda's emulator, on sample events, a bad row and an outage of the database
lambda: build-lambda
    #!/bin/sh
    set -eu
    command -v cargo-lambda > /dev/null || { echo 'error: cargo-lambda is not installed'; echo 'hint: pip install cargo-lambda'; exit 1; }
    export LOCAL_STACK_HOME='{{ target }}/lambda/stack'
    stack='{{ target }}/release/local-stack' etl='{{ target }}/release/etl'
    trap '"$stack" down > /dev/null 2>&1' EXIT
    "$stack" up
    eval "$("$stack" env)"
    export ETL_QUEUE_NAME=login-queue ETL_MASKING=base64
    "$stack" queue login-queue --dead-letter login-queue-dlq --max-receive-count 100 > /dev/null
    "$etl" migrate > /dev/null
    "$etl" send --generate 100
    python3 deploy/lambda/emulate.py '{{ target }}/release/etl-lambda' "$stack" psql

[private]
build-lambda:
    cargo build --release --package etl-lambda --package etl-cli --package local-stack

# Fuzz what reads other people's bytes, with a nightly compiler and cargo-fuzz: all targets or one, so many seconds each
fuzz name="" seconds="600":
    #!/bin/sh
    set -eu
    found=
    for place in login-model/parse login-model/envelope masking/unmask masking/keyset; do
        crate=${place%/*} name=${place#*/}
        case '{{ name }}' in '' | "$name") found=yes ;; *) continue ;; esac
        work='{{ target }}'/fuzz/$crate
        cd '{{ justfile_directory() }}'/crates/$crate
        mkdir -p "$work/corpus/$name" fuzz/corpus/$name
        # What is found goes to the first folder; the committed corpus is only read.
        cargo +nightly fuzz run --target-dir "$work" "$name" "$work/corpus/$name" fuzz/corpus/$name -- \
            -max_total_time={{ seconds }} -max_len=2048 -print_final_stats=1
    done
    [ -n "$found" ] || { echo 'no such target: parse, envelope, unmask, keyset' >&2; exit 1; }

# Exchange values and keysets with Google Tink for Python, which is installed into a virtual environment, and run behind PgBouncer
interop: build
    crates/etl-cli/interop/pgbouncer.sh '{{ etl_binary }}' '{{ stack }}'
    TINK_VENV='{{ target / "tink" }}' crates/masking/interop/exchange.sh
    TINK_VENV='{{ target / "tink" }}' crates/etl-cli/interop/kms.sh '{{ etl_binary }}' '{{ stack }}'

# Write docs/OPTIONS.md anew, from the options in the code
options: build
    '{{ etl_binary }}' options > docs/OPTIONS.md

# Check the image, the manifests and the Terraform of `deploy/` as far as it goes here: `files`, `container`, `kubernetes`, `terraform`, `aws`, or all without a name
deploy-check *parts: build
    deploy/check {{ parts }}

# Check format, lints and documentation
lint: format-check
    cargo clippy --workspace --all-targets --all-features -- --deny warnings
    RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --all-features

[private]
format-check:
    cargo fmt --all --check

# Check licences, sources and, where the database of advisories can be fetched, advisories
deny:
    #!/bin/sh
    set -eu
    cargo deny --all-features check licenses bans sources
    if ! cargo deny fetch db > /dev/null 2>&1; then
        echo 'advisories: not checked, the database cannot be fetched from here'
        exit 0
    fi
    cargo deny --all-features check advisories

# Everything that CI runs
ci: lint deny test interop etl down
