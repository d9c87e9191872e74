#!/bin/bash
# build.sh DIR: makes DIR a root folder with Asterisk and SIPp in it (a minute, 650 MB).
# Needs root, debootstrap (installed here if apt-get can) and a Debian mirror: MIRROR, or the first one
# that this machine's own apt uses. SUITE is a release with Asterisk 22 or newer.
set -euo pipefail
ROOT=${1:?build.sh DIR}
SUITE=${SUITE:-forky}
MIRROR=${MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)}
MIRROR=${MIRROR:-$(awk '$1 == "deb" && $2 ~ /^http/ {print $2; exit}' /etc/apt/sources.list 2>/dev/null || true)}
: "${MIRROR:?say which Debian mirror to use: MIRROR=http://…}"

if ! command -v debootstrap >/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends debootstrap
fi

# An older debootstrap does not know newer releases; they are made as sid is.
debootstrap --variant=minbase "$SUITE" "$ROOT" "$MIRROR" sid
# Nothing that is installed may start a service.
printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
chmod +x "$ROOT/usr/sbin/policy-rc.d"
cp /etc/resolv.conf /etc/hosts "$ROOT/etc/"
mount -t proc proc "$ROOT/proc"
trap 'umount "$ROOT/proc"' EXIT
# The package lists that debootstrap left are used as they are: a frozen mirror's may have expired.
DEBIAN_FRONTEND=noninteractive chroot "$ROOT" \
    apt-get install -y --no-install-recommends asterisk sip-tester
chroot "$ROOT" apt-get clean
chroot "$ROOT" asterisk -V
touch "$ROOT/.complete"
