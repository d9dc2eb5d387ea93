#!/usr/bin/env bash
# Builds Weir, starts it in the background with its embedded defaults, and sends one real request through it.
# A second run replaces the first; `make stop` ends it. PORT= and ADMIN_PORT= choose other ports, CONFIG= a file.
# Where that file has keys, WEIR_API_KEY is the one that the request is sent with.
source "$(dirname "$0")/common.sh"

PORT=${PORT:-7480}
ADMIN_PORT=${ADMIN_PORT:-$((PORT + 1))}
run=build/run

tools/install.sh build run
tools/build.sh release
tools/stop.sh --quiet

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for port in "$PORT" "$ADMIN_PORT"; do
  if taken "$port"; then
    die "port $port of 127.0.0.1 is taken by another program. Choose another: make run PORT=$((PORT + 100))"
  fi
done

mkdir -p $run
rm -f $run/ready.json
arguments=(serve --listen "127.0.0.1:$PORT" --admin-listen "127.0.0.1:$ADMIN_PORT" --ready-file $run/ready.json)
if [ -n "${CONFIG:-}" ]; then arguments+=(--config "$CONFIG"); fi
setsid nohup build/weir "${arguments[@]}" >$run/weir.log 2>&1 </dev/null &
pid=$!
echo $pid >$run/weir.pid

for _ in $(seq 200); do
  [ -s $run/ready.json ] && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.05
done
if [ ! -s $run/ready.json ]; then
  tail -n 20 $run/weir.log >&2
  die "Weir did not start within 10 s; its last words stand above, the rest in $run/weir.log"
fi

python3 tools/first_request.py --ready $run/ready.json
