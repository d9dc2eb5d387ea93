#!/usr/bin/env bash
# Runs h2spec, the conformance suite of HTTP/2, against build/test/weir over clear text with prior knowledge.
# The cases that may fail stand in tests/conformance/h2spec_known.txt, each with its reason; the whole output in build/h2spec.log.
source "$(dirname "$0")/common.sh"

binary=${1:-build/test/weir}
[ -x "$binary" ] || not_run "$binary is not built"
if [ ! -x build/tools/h2spec ]; then
  have go || not_run "h2spec needs Go, and there is none here"
  GOBIN=$PWD/build/tools go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible ||
    not_run "go could not fetch h2spec"
fi

scratch=$(mktemp -d)
"$binary" serve --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --data-dir "$scratch/data" \
  --ready-file "$scratch/ready.json" >"$scratch/log" 2>&1 &
pid=$!
trap 'kill -TERM $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 200); do
  [ -s "$scratch/ready.json" ] && break
  sleep 0.05
done
[ -s "$scratch/ready.json" ] || { cat "$scratch/log"; die "Weir did not start"; }
port=$(sed -n 's/.*"url": *"http:\/\/[^"]*:\([0-9]*\)".*/\1/p' "$scratch/ready.json")
build/tools/h2spec --host 127.0.0.1 --port "$port" --path /healthz --timeout 5 \
  --junit-report "$scratch/report.xml" >build/h2spec.log || true
tail -n 1 build/h2spec.log
tools/h2spec_verdict.py "$scratch/report.xml"
