#!/usr/bin/env bash
# Cross-builds Weir for arm64 and runs its unit tests under qemu-user. What it links against is unpacked from Debian's
# arm64 packages into build/arm64-root, through an apt of its own: the packages of this machine stay as they are.
source "$(dirname "$0")/common.sh"

tools/install.sh build all
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || not_run "there is no qemu-aarch64"

# What a cross build needs of Debian arm64; the tools (clang, cmake) are the host's.
packages="libc6-dev libstdc++-12-dev linux-libc-dev libgtest-dev libgmock-dev $(
  awk '$1 == "build" && $2 ~ /-dev$/ { print $2 }' tools/packages.txt | tr '\n' ' ')"

private_apt() {
  apt-get -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$PWD/$apt/state" \
    -o Dir::State::status="$PWD/$apt/status" -o Dir::Cache="$PWD/$apt/cache" -o APT::Sandbox::User=root \
    -o Debug::NoLocking=1 -o APT::Get::AllowUnauthenticated=false "$@"
}

unpack_root() {
  apt=build/arm64-apt
  rm -rf build/arm64-root
  mkdir -p $apt/state/lists/partial $apt/cache/archives/partial build/arm64-root
  : >$apt/status
  private_apt update -qq && private_apt install -y -qq --no-install-recommends --download-only $packages || return 1
  # Debian keeps lib beside usr/lib in packages and merges them by links; so does this tree.
  mkdir -p build/arm64-root/usr/lib build/arm64-root/usr/bin
  ln -s usr/lib build/arm64-root/lib
  ln -s usr/bin build/arm64-root/bin
  for package in $apt/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C build/arm64-root || return 1
  done
  # Links that point from the root of the file system have to point into this tree.
  find build/arm64-root -type l -lname '/*' -printf '%p %l\n' | while read -r link target; do
    ln -sfn "$PWD/build/arm64-root$target" "$link"
  done
  rm -rf $apt
  touch build/arm64-root/.complete
}

[ -e build/arm64-root/.complete ] || unpack_root || not_run "Debian's arm64 packages could not be fetched"

tools/build.sh arm64
file_machine=$(readelf -h build/arm64/weir | awk -F: '/Machine/ { print $2 }')
say "build/arm64/weir is for:$file_machine; unit tests under $emulator"
ctest --test-dir build/arm64 --output-on-failure --no-tests=error -j "$(nproc)" -LE sim
