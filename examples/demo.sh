#!/usr/bin/env bash
# The main job, end to end: each bundled database is put on trial twice, with its
# bug and without, under the same seed and the same faults. The guilty must be
# convicted, the innocent must pass. Usage:
# demo.sh FOLDER-OF-BINARIES, seen from the project's root
set -uo pipefail
cd "$(dirname "$0")/.."
tribunal=$1/tribunal
seed=${SEED:-7}
wrong=0
reports=()

# trial WHAT EXPECTED-EXIT-CODE ARGUMENTS…
trial() {
  local what=$1 expected=$2 log code
  shift 2
  log=$(mktemp)
  printf '\n── %s\n' "$what"
  "$tribunal" run "$@" --seed "$seed" | tee "$log"
  code=${PIPESTATUS[0]}
  reports+=("$(sed -n 's/^report *//p' "$log" | tail -n 1)  $what")
  rm -f "$log"
  if [ "$code" != "$expected" ]; then
    echo "✗ expected exit code $expected, and it was $code"
    wrong=1
  fi
}

began=$SECONDS
trial "last write wins, on wall clocks: loses acknowledged writes" 1 \
  examples/lww-store/lww.toml -s bug=wall-clock
trial "last write wins, on hybrid logical clocks: keeps them" 0 \
  examples/lww-store/lww.toml -s bug=none
trial "a leader by lease, that asks no clock after a pause: two leaders" 1 \
  examples/lease-store/leader.toml -s bug=paused-leader
trial "a leader by lease, measured by a clock: one leader" 0 \
  examples/lease-store/leader.toml -s bug=none

printf '\nFour trials in %d s. Open a report in a browser:\n' $((SECONDS - began))
printf '  %s\n' "${reports[@]}"
if [ $wrong = 0 ]; then
  echo "All verdicts are the expected ones."
else
  echo "Not all verdicts are the expected ones. Again: make demo SEED=$seed"
fi
exit $wrong
