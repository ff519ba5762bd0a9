# Two commands on a fresh Debian machine with Rust, as root:
#   make demo   puts the bundled databases on trial on local nodes
#   make test   runs all tests
# Each installs what it needs. `tribunal doctor` says what a machine lacks.

.PHONY: demo test real-hosts build bench figures oracle clean

NODE_PACKAGES := gcc libc6-dev openssh-server openssh-client nftables iproute2 e2fsprogs
TEST_PACKAGES := $(NODE_PACKAGES) xfsprogs etcd-server etcd-client redis-server redis-sentinel nats-server curl postgresql-15 protobuf-compiler libprotobuf-dev python3 openjdk-17-jdk-headless

demo:
	@bash .ci/packages $(NODE_PACKAGES)
	cargo build --release --quiet --package tribunal --package lww-store --package lease-store
	@bash examples/demo.sh target/release

test:
	@bash .ci/packages $(TEST_PACKAGES)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo test --workspace --no-fail-fast

# Faults that only hosts with kernels of their own can have: their clocks, and netem between them.
# Two virtual machines; takes some ten minutes, and room for two gigabytes in /var/tmp.
real-hosts:
	@bash .ci/packages $(NODE_PACKAGES) qemu-system-x86 mmdebstrap
	cargo build --release --quiet
	@bash cli/tests/real_hosts/check $${CARGO_TARGET_DIR:-target}/release

build:
	cargo build --release

bench:
	cargo bench --package tribunal-checkers --package tribunal-history

# What docs/performance.md tells, measured here.
figures:
	@bash examples/figures.sh

# Every checker against brute force, a million random histories each; prints its counts. In parts:
# ORACLE_FIRST=250000 ORACLE_HISTORIES=250000 in its place judges the second quarter.
oracle:
	ORACLE_HISTORIES=$${ORACLE_HISTORIES:-1000000} cargo test --release --no-fail-fast --package tribunal-checkers --test '*_oracle' -- --nocapture

clean:
	cargo clean
