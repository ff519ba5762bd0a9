#!/usr/bin/env bash
# The figures of docs/performance.md: histories are simulated, and each is judged by the
# whole command, loading included. Prints the best of three: seconds, megabytes, verdict.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --quiet
cargo build --release --quiet --package tribunal-checkers --example simulate --example lists --example sessions --example blind
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
simulate() { target/release/examples/simulate "${@:2}" >"$folder/$1.jsonl"; }

# Judges a file three times, as registers or as what is told; the best time and its memory.
judge() {
  local name=$1 file=$2 best
  local model=("${@:3}")
  ((${#model[@]})) || model=(cas-register)
  best=$(for _ in 1 2 3; do
    /usr/bin/env python3 - target/release/tribunal check "$file" --model "${model[@]}" <<'PYTHON'
import os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
verdict = child.stdout.read().split("\n")[1].split()[0]
_, _, usage = os.wait4(child.pid, 0)
print(f"{time.monotonic() - began:8.3f} s {usage.ru_maxrss / 1024:7.0f} MB  {verdict}")
PYTHON
  done | sort -n | head -n 1)
  printf '%-62s %s\n' "$name" "$best"
}

simulate five --calls 1000000 --keys 10000 --clients 10 --values 5
judge "1M CAS calls, 100 a key, 5 values" "$folder/five.jsonl"
simulate crash --calls 10000 --keys 10 --clients 10 --values 5 --crashed 50
judge "10k calls, 1,000 a key, 5 values, 5% crashed" "$folder/crash.jsonl"
simulate crashes --calls 100000 --keys 100 --clients 10 --values 5 --crashed 50
judge "100k calls, the same" "$folder/crashes.jsonl"
simulate hot --calls 10000 --keys 1 --clients 10 --values unique --crashed 10
judge "hot register, 10k calls, 1% crashed" "$folder/hot.jsonl"
simulate stale --calls 1000 --keys 1 --clients 10 --values unique --crashed 10 --stale
judge "1k calls, one stale read, 1% crashed" "$folder/stale.jsonl"
simulate search --calls 10000 --keys 1 --clients 10 --values 5
judge "one key, 10k calls, 10 clients, 5 values" "$folder/search.jsonl"
simulate search30 --calls 10000 --keys 1 --clients 10 --values 5 --crashed 3
judge "the same, 0.3% crashed" "$folder/search30.jsonl"

for calls in 10000 100000 1000000; do
  simulate unique --calls $calls --keys $((calls / 1000)) --clients 20 --values unique --crashed 10
  judge "$calls calls, unique values, 1,000 a key, 1% crashed, JSON lines" "$folder/unique.jsonl"
done
simulate key --calls 1000000 --keys 1 --clients 20 --values unique --crashed 10
judge "1M calls on one key, unique values, 1% crashed, JSON lines" "$folder/key.jsonl"
rm "$folder"/*.jsonl
simulate ten --calls 10000000 --keys 10000 --clients 20 --values unique --crashed 10
target/release/tribunal export "$folder/ten.jsonl" arrow --output "$folder/ten.arrow"
rm "$folder/ten.jsonl"
judge "10M calls, the same, store format" "$folder/ten.arrow"
rm "$folder"/*

for count in 10000 100000 1000000 3000000; do
  target/release/examples/lists $count >"$folder/lists.jsonl"
  judge "$count transactions on lists, to strict serializability" "$folder/lists.jsonl" list-append
  judge "$count, the same, to causal consistency" "$folder/lists.jsonl" list-append --level causal
done
rm "$folder"/*
for promise in snapshots committed; do
  target/release/examples/blind 10000 $promise >"$folder/blind.jsonl"
  judge "10000 transactions that write blindly, on $promise" "$folder/blind.jsonl" rw-register
done
rm "$folder"/*
for sessions in 10 50 5000; do
  target/release/examples/sessions 1000000 $sessions >"$folder/sessions.txt"
  for level in read-committed read-atomic causal; do
    judge "1M transactions, $sessions sessions, $level" "$folder/sessions.txt" rw-register --level $level
  done
done
