# Sourced by the scripts of tools/: strict mode, the repository's root as the working directory, a few small words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Ends a phase of tools/test.sh as "not run", with the reason.
not_run() { printf 'not run: %s\n' "$*"; exit 77; }

# Compilers at once: one for each core, but no more than memory carries (a sanitized file takes up to 1.5 GB).
jobs_max() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  if [ "$memory" -lt 1 ]; then memory=1; fi
  if [ "$memory" -lt "$cores" ]; then echo "$memory"; else echo "$cores"; fi
}

# as_root COMMAND...: as it is for root, through sudo for others.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "needs root or sudo; run this as root: $*"
  fi
}
