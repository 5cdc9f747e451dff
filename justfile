# What a contributor does, by name. `just` alone lists it; https://just.systems has the program.

set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @just --list --unsorted

# All that CI wants but its slow parts: before every commit
check: fmt-check width clippy test

# The tests; those whose referee is missing are ignored; takes a filter: just test retry
test *arguments:
    cargo test {{arguments}}

# The tests of the documentation's examples alone
test-doc:
    cargo test --doc

# The tests that need nothing but Rust, so nothing is downloaded or ignored
test-rust:
    cargo test --workspace --lib --bins --examples --test main
    cargo test --workspace --doc

# The tests that Azurite, Microsoft's SDKs and recordings judge: just referees tags
referees *arguments:
    cargo test --workspace --test referees -- {{arguments}}

# The main job, against the simulator or the account in AZURE_STORAGE_CONNECTION_STRING
example:
    cargo run --example incremental_copy

# Another of the examples, such as `just show list_copies`
show name *arguments:
    cargo run --example {{name}} -- {{arguments}}

# A simulated blob service on port 10000, until it is interrupted; takes options, --help shows them
simulator *arguments:
    cargo run -p blobcopy-simulator -- {{arguments}}

# When a wait polls, and how late it learns of the end, for copies of 0.1 s to 24 hours
pacing:
    cargo test --lib pacing_table -- --nocapture

# Formats everything
fmt:
    cargo fmt

# Fails when something is not formatted
fmt-check:
    cargo fmt --check

# Lints all code with all features, warnings denied
clippy:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Formatting, line widths and lints
lint: fmt-check width clippy

# The documentation as docs.rs shows it, warnings denied; just doc --open
doc *arguments:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features {{arguments}}

# Whether every import of the library and the simulator runs downward
layers:
    .ci/layers

# Whether a line of Rust or Markdown is over 100 columns, where rustfmt does not see to it
width:
    .ci/width

# Lints each crate with each feature alone and without it
features:
    .ci/features

# Whether every dependency gets by with the Rust that Cargo.toml promises
msrv:
    .ci/msrv

# Builds with that Rust itself, where rustup has it: rustup toolchain install 1.88
msrv-build:
    cargo +1.88 check -p blobcopy --all-features
    cargo +1.88 check -p blobcopy-simulator --all-features
    cargo +1.88 check -p blobcopy-cli --all-features

# Whether AWS-LC stays out of the default build, and other crates' TLS goes beside ours
tls:
    .ci/tls

# object_store, adlfs and the Azure CLI against the simulator; downloads about 800 MB
clients:
    .ci/clients

# What each request costs beside the least that it could; takes a filter
bench *arguments:
    cargo bench --bench request_path -- {{arguments}}

# Many copies beside rclone, where it is installed; takes a row: small, ranges, watch, memory
bench-jobs *arguments:
    cargo bench --bench jobs -- {{arguments}}

# How many requests the simulator answers, beside Azurite where npm is; takes a filter
bench-simulator *arguments:
    cargo bench --bench simulator -- {{arguments}}

# Licences, sources and bans of the dependencies: cargo install --locked cargo-deny
deny:
    cargo deny check bans licenses sources

# Known vulnerabilities of the dependencies, from the RustSec database
advisories:
    cargo deny check advisories

# Breaking changes since the last tag: cargo install --locked cargo-semver-checks
semver:
    cargo semver-checks --all-features --baseline-rev "$(git describe --tags --abbrev=0)"

# What would be published, built from nothing else
package:
    cargo package -p blobcopy -p blobcopy-simulator -p blobcopy-cli

# The command as a Python wheel, installed into an empty environment and tried there
wheel:
    .ci/wheel

# A job for many workers: the manifest for Kubernetes, and Dask with a worker that is killed
fleet blobs="400":
    .ci/fleet {{blobs}}

# What takes minutes: 2,000 seeds of chaos, and the release wheel
long:
    .ci/long

# All of it, as CI runs it on a fresh Debian machine
ci:
    .ci/run
