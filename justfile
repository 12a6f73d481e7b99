# Shortcuts; nothing is defined here that a plain command could not do.

# Everything that can be run here; says what it skipped.
test:
    cargo test

# What needs less than a minute: unit tests, laws, documents, recordings, the command line.
quick:
    cargo test --lib --test quick

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo deny check licenses bans sources

# Writes anew what is made from the source: docs, schemas, outcomes, layouts. Read the diff before committing it.
bless:
    BLESS=1 cargo test --no-fail-fast --test quick --test slow -- _current

# The images and real parts that the container tests need, then those tests.
containers:
    tests/containers/build
    PREFLIGHT_REQUIRE_CONTAINERS=1 cargo test --test slow -- containers jupyter real_

# Time, memory and size, beside two peers. Prints figures, fails on nothing.
bench:
    tests/bench/run
    tests/bench/schedule

# The program as it is shipped, for glibc 2.17 and later: target/release/gpu-preflight.
release:
    packaging/build

# Everything that is handed out, with sums and a bill of materials: target/dist.
dist:
    packaging/dist

# What a change must pass, as on a new machine.
ci:
    .ci/run

# The row of src/facts/reference/fingerprints.toml that a recording gives.
fingerprints facts:
    FACTS="$(realpath {{facts}})" cargo test -q --test quick a_recording_gives_its_row -- --nocapture

# Runs drawn by chance, each held to what must hold of every run. One seed by itself: just chaos 1 SEED.
chaos runs="1000" seed="0":
    PREFLIGHT_CHAOS_SEED={{seed}} PREFLIGHT_CHAOS_RUNS={{runs}} cargo test --test slow chaos:: -- --nocapture

# Fuzzes one reader of foreign bytes (a folder of tests/fuzz/seeds) under libFuzzer. Needs cargo-fuzz.
fuzz target seconds="600":
    mkdir -p target/fuzz-corpus/{{target}}
    cd tests/fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . -s none {{target}} ../../target/fuzz-corpus/{{target}} seeds/{{target}} -- -max_total_time={{seconds}} -timeout=10
