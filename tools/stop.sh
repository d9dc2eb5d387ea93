#!/usr/bin/env bash
# Ends the server that `make run` started: asks it to drain, and waits. --quiet says nothing when none runs.
source "$(dirname "$0")/common.sh"

pid_file=build/run/weir.pid
pid=$(cat $pid_file 2>/dev/null || true)

# A process id may have been given to another program since.
is_weir() { [ -n "$pid" ] && [[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == */weir* ]]; }

if ! is_weir; then
  [ "${1:-}" = --quiet ] || say "Weir is not running."
  rm -f $pid_file
  exit 0
fi

kill -TERM "$pid"
for _ in $(seq 400); do
  is_weir || break
  sleep 0.1
done
if is_weir; then
  say "Weir did not end within 40 s of SIGTERM; killing it. Its log: build/run/weir.log"
  kill -KILL "$pid"
fi
rm -f $pid_file
say "Stopped the Weir that was running (process $pid)."
