#!/bin/sh
# Runs systemd as the first process of namespaces of its own, over this machine's files, with a layer above them that goes with it.
# Root in a namespace is still root to the kernel, so what reaches beyond files is taken away: settings of the kernel cannot be
# written, devices are a few harmless ones, the control group is its own, capabilities for clock, modules and audit are given up,
# and of this machine's units none is started but the journal.
#
# The layer outlives a boot: where FOLDER/again lies when systemd has ended, that file goes and it is booted once more.
#
#   stage.sh begin FOLDER PROGRAM SETTINGS     runs it: an empty folder, the program, and what is to be /etc/switchboard there
#   stage.sh end FOLDER                        removes its control group, once it has ended
set -eu

# Where control groups of the second version are, and the stage's own one.
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$groups" ] || { echo "there are no control groups of the second version" >&2; exit 1; }
own=$groups/switchboard-test-$(basename "$2")

begin() {
    # No process may be in a group that shares memory out among those below it.
    mkdir "$own" "$own/keeper"
    echo +memory 2>/dev/null > "$own/cgroup.subtree_control" || true
    echo $$ > "$own/keeper/cgroup.procs"
    exec unshare --mount "$0" keep "$@"
}

end() {
    # Its processes take a moment to go.
    for _ in $(seq 100); do
        find "$own" -depth -type d -exec rmdir {} + 2>/dev/null && return
        sleep 0.05
    done
    echo "the control group $own is still in use" >&2
    return 1
}

# Keeps the layer while systemd is booted, once or again.
keep() {
    mount --make-rprivate /
    mkdir "$1/root" "$1/layer"
    mount -t tmpfs tmpfs "$1/layer"
    mkdir "$1/layer/upper" "$1/layer/work"
    while :; do
        setpriv --pdeathsig KILL \
            unshare --mount --pid --fork --uts --ipc --kill-child "$0" enter "$@" || true
        [ -e "$1/again" ] || return 0
        rm "$1/again"
    done
}

# The first process, in a control group of this boot alone.
enter() {
    boot=$(mktemp -d "$own/boot.XXXXXX")
    echo 0 > "$boot/cgroup.procs"
    exec unshare --cgroup "$0" inside "$@"
}

inside() {
    folder=$1 program=$2 settings=$3
    root=$folder/root layer=$folder/layer
    mount --make-rprivate /
    mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$root"

    mount -t proc proc "$root/proc"
    for kernel in sys sysrq-trigger irq bus; do
        if [ -e "$root/proc/$kernel" ]; then
            mount --bind "$root/proc/$kernel" "$root/proc/$kernel"
            mount -o remount,bind,ro "$root/proc/$kernel"
        fi
    done
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=0755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
    for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
        # shellcheck disable=SC2086 # a name and two numbers
        set -- $device
        mknod -m 666 "$root/dev/$1" c "$2" "$3"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"

    mkdir -p "$root/usr/local/bin" "$root/etc/switchboard"
    touch "$root/usr/local/bin/switchboard"
    mount --bind "$program" "$root/usr/local/bin/switchboard"
    mount --bind "$settings" "$root/etc/switchboard"
    [ -e "$layer/made" ] || make
    # As on a machine that was booted: what the service manager mounts for a service, such as its credentials, arrives there.
    mount --make-rshared "$root"
    # Who may read the journal: the same as on a machine that was booted.
    mkdir -p "$root/run/log/journal"
    chroot "$root" systemd-tmpfiles --create --prefix=/run/log
    exec setpriv --bounding-set \
        -sys_module,-sys_rawio,-sys_boot,-sys_time,-syslog,-audit_control,-audit_read,-audit_write,-mac_admin,-mac_override \
        chroot "$root" env -i container=stage PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=stage.target --show-status=0 --log-target=journal --log-level=info
}

# What is made once and is there at each boot.
make() {
    rm -rf "$root/var/lib/switchboard" "$root/var/lib/private/switchboard"

    # Nothing is started because something else wants it: only what the stage and its service name.
    rm -rf "$root/etc/systemd/system" "$root/usr/lib/systemd/system-generators" "$root/etc/systemd/system-generators"
    for wants in "$root"/usr/lib/systemd/system/*.wants; do rm -rf "$wants"; done
    mkdir -p "$root/etc/systemd/system"
    ln -s /dev/null "$root/etc/systemd/system/systemd-journald-audit.socket"
    cat > "$root/etc/systemd/system/stage.target" <<UNIT
[Unit]
DefaultDependencies=no
Wants=systemd-journald.socket systemd-journald.service multi-user.target
UNIT
    touch "$layer/made"
}

"$@"
