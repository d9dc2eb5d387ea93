#!/usr/bin/env bash
# `make run` and `make test` on a bare Debian 12: a debootstrap chroot under build/bare with a clone of the committed tree.
# Mirrors, proxy, certificates and package settings are those of this machine. KEEP=1 leaves the chroot for a look.
source "$(dirname "$0")/common.sh"

tools/install.sh all
[ "$(id -u)" = 0 ] || not_run "a chroot needs root"
have debootstrap || not_run "there is no debootstrap"
root=$PWD/build/bare

mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' | awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || not_run "apt of this machine knows no mirror of bookworm"

mounted() { grep -q " $root/$1 " /proc/mounts; }
clean_up() {
  for folder in proc dev/pts dev sys; do
    if mounted $folder; then umount "$root/$folder" 2>/dev/null || umount -l "$root/$folder"; fi
  done
}
trap clean_up EXIT
clean_up
if grep -q " $root/" /proc/mounts; then die "something is still mounted under $root"; fi
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase --include=ca-certificates,make,git bookworm "$root" "$mirror" >build/bare.log 2>&1 ||
  { tail -n 5 build/bare.log; not_run "debootstrap failed; see build/bare.log"; }

# The same sources as this machine (only Debian's own), its certificates, its settings for packages.
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' |
  awk '$2 ~ /^bookworm/ && !seen[$0]++ { print "deb", $1, $2, $3 }' >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https)::(Proxy|CaInfo|Verify)' >"$root/etc/apt/apt.conf.d/99host" || true
mkdir -p "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"; fi
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
for file in /etc/pip.conf /etc/npmrc /usr/etc/npmrc "$HOME/.npmrc"; do
  if [ -f "$file" ]; then mkdir -p "$root/$(dirname "$file")" && cp "$file" "$root/$file"; fi
done
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys" 2>/dev/null && mount --make-rslave "$root/sys" || true
mount --bind /dev "$root/dev"
mount -t devpts devpts "$root/dev/pts" 2>/dev/null || true

# The committed tree, with what tests read beside it where it is.
git clone -q --no-hardlinks . "$root/weir"
shared=${WEIR_SHARED_DIR:-../shared}
if [ -d "$shared" ]; then cp -r "$shared" "$root/shared"; fi

settings=$(env | grep -E '^((https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY|PIP_(CERT|INDEX_URL|DEFAULT_TIMEOUT)|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(npm_config|NPM_CONFIG)_registry|GOPROXY)=' || true)
in_chroot() {
  printf '%s\n' $settings | (mapfile -t pairs; chroot "$root" /usr/bin/env -i HOME=/home PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 PORT="${BARE_PORT:-7580}" "${pairs[@]}" /bin/bash -c "cd /weir && $1")
}

status=0
in_chroot "make run" || status=1
# A second run takes the first one's place. What has ended may still have a row in /proc, but no program.
in_chroot 'first=$(cat build/run/weir.pid) && make run && ! readlink "/proc/$first/exe" && curl -fsS --noproxy 127.0.0.1 "127.0.0.1:$PORT/healthz"' || status=1
in_chroot 'second=$(cat build/run/weir.pid) && make stop && ! readlink "/proc/$second/exe"' || status=1
in_chroot "make test" || status=1
if [ -z "${KEEP:-}" ] && [ $status = 0 ]; then
  clean_up
  if ! grep -q " $root/" /proc/mounts; then rm -rf "$root"; fi
fi
exit $status
