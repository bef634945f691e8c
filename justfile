# Every command a person or CI runs. `bash tests/setup` brings what they need.

# Where cargo puts what it builds.
debug := absolute_path(env('CARGO_TARGET_DIR', 'target') / 'debug')
# Where the binaries of bundles are, apart: no other build replaces them.
bundles := absolute_path(env('CARGO_TARGET_DIR', 'target') / 'bundles')
# Tests start this very binary; nextest builds it along with them.
export PORTCULLIS_BIN := debug / 'portcullis'
# Runs a command beside database servers, unless POSTGRES_URL, REDIS_URL, REDIS_CLUSTER_URL or MONGODB_URL name others.
servers := debug / 'servers'

[private]
default:
    @just --list --unsorted

# Start the server on http://localhost:3000
run *ARGS:
    cargo run -- {{ARGS}}

# The read-only gate: format, lints, documentation, licences and bans, architecture
check: format lint docs deny
    cargo nextest run -p architecture

# Put right what can be put right by machine
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --features portcullis/full --fix --allow-dirty --allow-staged

# The core alone: no servers, seconds
test-domain:
    cargo nextest run -p domain -p properties

# Discover new cases of the core's laws: just prove 100 tries a hundred times as many
prove TIMES="20":
    PROPTEST_DISCOVER={{TIMES}} cargo nextest run -p properties

# What README and CI run: everything, beside database servers of its own
test: format lint features build-servers
    cargo test --workspace --features portcullis/full --doc --quiet
    {{servers}} with postgres,redis,redis-cluster,mongo -- cargo nextest run --workspace --features portcullis/full

# Everything, and the gate, and what takes long: the stories on every bundle too
test-all: check test (e2e-on "embedded") (e2e-on "classic") (e2e-on "modern")
    cargo nextest run --workspace --features portcullis/full --run-ignored only --no-tests pass

# What every adapter of a port must do, run by one on its real server: just conformance storage-postgres
conformance ADAPTER *FILTER:
    #!/usr/bin/env bash
    set -euo pipefail
    beside() {
        cargo build --quiet -p servers
        exec {{servers}} with "$1" -- cargo nextest run -p {{ADAPTER}} --test conformance {{FILTER}}
    }
    case {{ADAPTER}} in
        storage-postgres) beside postgres ;;
        storage-mongo) beside mongo ;;
        sessions-redis) beside redis,redis-cluster ;;
        *) exec cargo nextest run -p {{ADAPTER}} --test conformance {{FILTER}} ;;
    esac

# Any command beside servers: just with postgres,redis cargo nextest run -p storage-postgres
with SERVERS +COMMAND: build-servers
    {{servers}} with {{SERVERS}} -- {{COMMAND}}

# The wired server over HTTP: just e2e two_factor
e2e *FILTER: binary build-servers
    {{servers}} with postgres,mongo -- cargo nextest run -p e2e {{FILTER}}

# The same stories on a bundle's own binary and stores (embedded, classic, modern): just e2e-on modern login
e2e-on BUNDLE *FILTER: build-servers
    #!/usr/bin/env bash
    set -euo pipefail
    case {{BUNDLE}} in
        # PostgreSQL and MongoDB, whatever the bundle: LoopBack's data is moved out of both.
        embedded) needs=postgres,mongo ;;
        classic | modern) needs=postgres,mongo,redis ;;
        *) echo "there are the bundles embedded, classic and modern" >&2; exit 64 ;;
    esac
    {{just_executable()}} bundle {{BUNDLE}}
    export PORTCULLIS_BIN={{bundles}}/{{BUNDLE}}/portcullis E2E_BUNDLE={{BUNDLE}}
    $PORTCULLIS_BIN adapters | awk '$1 == "no" && $2 ~ /^identity-/ { print "NOT TRIED, the bundle is without it: " $2 }' >&2
    exec {{servers}} with "$needs" -- cargo nextest run -p e2e {{FILTER}}

# A bundle's own binary (embedded, classic, modern, full), held to its sample: just bundle modern
bundle NAME:
    cargo build --quiet --workspace --bin portcullis --no-default-features \
        --features portcullis/{{ if NAME == "full" { "full" } else { "bundle-" + NAME } }}
    install -D {{debug}}/portcullis {{bundles}}/{{NAME}}/portcullis
    {{bundles}}/{{NAME}}/portcullis check-config --config docs/samples/{{NAME}}.toml >/dev/null

# Three nodes behind a balancer, through faults; prints what was acknowledged and what was found: just nodes killed
nodes *FILTER:
    cargo build --quiet --workspace --features portcullis/full --bin portcullis
    cargo nextest run -p nodes --success-output immediate {{FILTER}}

# The pages in Chromium
browser *FILTER: binary
    cargo nextest run -p browser {{FILTER}}

# Throw everything at a reader of outside bytes (tests/fuzz/fuzz_targets): just fuzz saml_message 120
fuzz TARGET SECONDS="60" *OPTIONS:
    tests/fuzz/run {{TARGET}} {{SECONDS}} {{OPTIONS}}

# Load and ratios; asserts nothing
bench *ARGS:
    cargo run --release -p bench -- {{ARGS}}

# Documentation of the code, without warnings
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Licences, bans and sources; advisories where their database can be reached
deny:
    bash tests/setup deny
    cargo deny --log-level error check licenses bans sources
    if cargo deny fetch db; then cargo deny --offline check advisories; else echo "advisories: not checked, the database cannot be reached"; fi

# Size of the release binary, and how many crates are in it
size:
    cargo build --release --quiet
    @ls -l {{env('CARGO_TARGET_DIR', 'target')}}/release/portcullis | awk '{ printf "%.1f MiB\n", $5 / 1048576 }'
    @cargo tree -p portcullis --edges normal --prefix none --no-dedupe | sort -u | wc -l | sed 's/$/ crates/'

[private]
format:
    cargo fmt --all --check

[private]
lint:
    cargo clippy --workspace --all-targets --features portcullis/full --quiet -- -D warnings

# Every bundle compiles without a warning, and so does every adapter as the only one of its kind; nothing compiles without a store.
# By the whole workspace, like `lint`: the features of what they share come out the same, and the server alone is compiled anew.
[private]
features:
    #!/usr/bin/env bash
    set -euo pipefail
    with() {
        cargo clippy --quiet --workspace --bin portcullis --no-default-features \
            --features "portcullis/${1//,/,portcullis/}" -- -D warnings
    }
    for bundle in bundle-embedded bundle-classic bundle-modern; do with "$bundle"; done
    least=sms-console,mail-console
    with "$least,storage-sqlite,identity-oauth1"
    with "$least,storage-postgres,identity-oauth2"
    with "$least,storage-mongo,identity-oidc"
    with "$least,storage-memory,sessions-memory,identity-ldap"
    with "$least,storage-sqlite,sessions-redis,identity-saml"
    with "$least,storage-sqlite,identity-openid2"
    with "$least,storage-sqlite,identity-kerberos"
    if with "$least" 2>/dev/null; then echo "a server without any store compiles" >&2; exit 1; fi

[private]
build-servers:
    cargo build --quiet --workspace --features portcullis/full --bin servers

# With Kerberos, which is in no bundle, as its stories want it.
[private]
binary:
    cargo build --quiet -p portcullis --features identity-kerberos
