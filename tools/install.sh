#!/usr/bin/env bash
# Installs what is missing for the purposes named: tools/install.sh build run test lint bench profile all
# (each row of tools/packages.txt has one). Quick when everything is there. WEIR_SKIP_INSTALL=1 leaves it out.
source "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || die "name a purpose: build run test lint bench profile all"
if [ -n "${WEIR_SKIP_INSTALL:-}" ]; then exit 0; fi
have dpkg-query || die "knows Debian 12 only; install the like of tools/packages.txt yourself and set WEIR_SKIP_INSTALL=1"

# The rows of the purposes, each package once.
rows=$(awk -v purposes=" $* " '!/^#/ && NF && index(purposes, " " $1 " ") && !seen[$2]++ { print $2 }' tools/packages.txt)
[ -n "$rows" ] || die "no packages for: $*"

wanted=() unpacked=()
for row in $rows; do
  case $row in
    *:unless=*) have "${row#*:unless=}" || wanted+=("${row%%:*}") ;;
    *:unpack=*) [ -e "build/tools/${row#*:unpack=}" ] || have "$(basename "$row")" || unpacked+=("$row") ;;
    *) wanted+=("$row") ;;
  esac
done

installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "${wanted[@]}" 2>/dev/null | awk '$1 == "ii" { print $2 }' || true)
missing=$(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(printf '%s\n' "$installed" | sort -u))

if [ -n "$missing" ] || [ ${#unpacked[@]} -gt 0 ]; then
  as_root apt-get update -qq
fi

if [ -n "$missing" ]; then
  say "Installing: $(echo $missing)"
  # No service starts by being installed: a benchmark's nginx must not take port 80 of this machine.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod +x $policy
    trap 'as_root rm -f $policy' EXIT
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing ||
    die "apt could not install them. Weir builds on Debian 12 (bookworm) with its main archive."
  # Trees that were configured without them look again (tools/build.sh).
  mkdir -p build
  touch build/installed.stamp
fi

for row in ${unpacked[@]+"${unpacked[@]}"}; do
  package=${row%%:*} file=${row#*:unpack=}
  say "Taking $file out of $package"
  mkdir -p build/tools
  scratch=$(mktemp -d)
  (cd "$scratch" && apt-get download -qq "$package" && dpkg-deb --fsys-tarfile "$package"_*.deb >package.tar)
  tar -xf "$scratch/package.tar" -C build/tools "./$file"
  rm -rf "$scratch"
done
