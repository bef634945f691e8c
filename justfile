# Every command a person or CI runs. `bash tests/setup` brings what they need.

# Tests start this very binary; nextest builds it along with them.
export PORTCULLIS_BIN := absolute_path(env('CARGO_TARGET_DIR', 'target') / 'debug' / 'portcullis')

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
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# The core alone: no servers, seconds
test-domain:
    cargo nextest run -p domain -p properties

# Discover new cases of the core's laws: just prove 100 tries a hundred times as many
prove TIMES="20":
    PROPTEST_DISCOVER={{TIMES}} cargo nextest run -p properties

# What README and CI run: everything
test: format lint features
    cargo test --workspace --doc --quiet
    cargo nextest run --workspace

# Everything, and the gate, and what takes long
test-all: check test
    cargo nextest run --workspace --run-ignored only --no-tests pass

# What every adapter of a port must do, run by one: just conformance storage-sqlite
conformance ADAPTER *FILTER:
    cargo nextest run -p {{ADAPTER}} --test conformance {{FILTER}}

# The wired server over HTTP: just e2e two_factor
e2e *FILTER: binary
    cargo nextest run -p e2e {{FILTER}}

# The pages in Chromium
browser *FILTER: binary
    cargo nextest run -p browser {{FILTER}}

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
    cargo clippy --workspace --all-targets --quiet -- -D warnings

# Every bundle compiles without a warning, and so does the least there can be of every adapter.
[private]
features:
    cargo rustc --quiet -p portcullis --profile check --no-default-features --features bundle-embedded -- -D warnings
    cargo rustc --quiet -p portcullis --profile check --no-default-features --features storage-sqlite,sms-console,mail-console -- -D warnings
    cargo rustc --quiet -p portcullis --profile check --no-default-features --features storage-memory,sessions-memory,sms-console,mail-console -- -D warnings

[private]
binary:
    cargo build --quiet -p portcullis
