# Sourced by tools/test.sh, after common.sh: runs phases one after the other, remembers how each went, and reports.
# What the test runners say of themselves is held back and stands last.

phase_rows=()
phases_failed=0
summaries=build/test-summaries.txt
mkdir -p build
: >$summaries
# A script that runs several runners puts their summaries there itself, each under its title.
export WEIR_TEST_SUMMARIES=$PWD/$summaries

# phase NAME COMMAND...: the command's exit status 77 means that it could not run here (its last line says why).
phase() {
  local name=$1 started=$SECONDS status=0 outcome reason
  shift
  printf '\n=== %s\n' "$name"
  "$@" 2>&1 | tools/hold_summaries.py --hold $summaries --last build/test-last-line.txt || status=${PIPESTATUS[0]}
  case $status in
    0) outcome=passed reason= ;;
    77) outcome='not run' reason=$(sed 's/^not run: //' build/test-last-line.txt) ;;
    *) outcome=FAILED reason="exit status $status" phases_failed=1 ;;
  esac
  phase_rows+=("$(printf '%-9s %5d s  %s%s' "$outcome" $((SECONDS - started)) "$name" "${reason:+ ($reason)}")")
  [ "$status" = 0 ] || [ "$status" = 77 ]
}

report() {
  printf '\n=== phases, %d s in all\n' $SECONDS
  printf '%s\n' "${phase_rows[@]}"
  printf '\n=== the summaries of the test runners\n'
  cat $summaries
  exit $phases_failed
}
