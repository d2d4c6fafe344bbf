#!/bin/sh
# Installs Switchboard: downloads the program for this machine, verifies its checksum, and puts it in place.
set -eu

# `cargo xtask dist` fills in both.
version=''
base_url=''

usage() {
    cat <<'END'
Installs Switchboard: downloads the program for this machine, verifies its checksum, and puts it in place.

Usage: install.sh [--version X] [--to DIR]

  --version X   install this version [default: the one that this script came with]
  --to DIR      install into this folder [default: /usr/local/bin for root, else ~/.local/bin]

SWITCHBOARD_BASE_URL   another address to download from
END
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# download URL FILE
download() {
    if has curl; then
        curl -fsSL --retry 3 -o "$2" "$1"
    else
        wget -q -O "$2" "$1"
    fi
}

# Prints the checksum of a file.
sha256() {
    if has sha256sum; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

# Prints the target whose program runs on this machine.
target() {
    [ "$(uname -s)" = Linux ] || fail "there are released files for Linux alone; build from source on $(uname -s)"
    case $(uname -m) in
        x86_64 | amd64) echo x86_64-unknown-linux-musl ;;
        aarch64 | arm64) echo aarch64-unknown-linux-musl ;;
        *) fail "there is no released file for $(uname -m); build from source: cargo build --release" ;;
    esac
}

# Downloads the archive NAME into $work, and goes on only if its checksum is that of SHA256SUMS.
fetch() {
    from=$base_url/v$version
    download "$from/SHA256SUMS" "$work/SHA256SUMS" || fail "cannot download $from/SHA256SUMS; nothing was installed"
    wanted=''
    while read -r sum file; do
        if [ "${file#\*}" = "$1" ]; then
            wanted=$sum
        fi
    done <"$work/SHA256SUMS"
    [ -n "$wanted" ] || fail "$from/SHA256SUMS has no checksum of $1; nothing was installed"
    download "$from/$1" "$work/$1" || fail "cannot download $from/$1; nothing was installed"
    found=$(sha256 "$work/$1")
    [ "$found" = "$wanted" ] || fail "the checksum of $1 is $found, not $wanted; nothing was installed"
}

# Puts a program into the folder $to in one step: a run that ends early leaves the old program as it was.
place() {
    mkdir -p "$to"
    staged=$(mktemp "$to/.switchboard.XXXXXX")
    cp "$1" "$staged"
    chmod 755 "$staged"
    "$staged" --version >/dev/null || fail "the program does not run on this machine; nothing was installed"
    mv -f "$staged" "$to/switchboard"
}

main() {
    to=''
    while [ $# -gt 0 ]; do
        case $1 in
            --version | --to)
                [ $# -gt 1 ] || fail "$1 needs a value"
                if [ "$1" = --to ]; then to=$2; else version=${2#v}; fi
                shift 2
                ;;
            --help | -h)
                usage
                return
                ;;
            *) fail "there is no option $1; --help lists them" ;;
        esac
    done
    base_url=${SWITCHBOARD_BASE_URL:-$base_url}
    base_url=${base_url%/}
    [ -n "$version" ] || fail "this script belongs to no release: give --version"
    [ -n "$base_url" ] || fail "this script belongs to no release: set SWITCHBOARD_BASE_URL"
    case $version in *[!0-9A-Za-z.+-]*) fail "--version is wrong: write a version such as 0.1.0" ;; esac
    has curl || has wget || fail "install curl or wget first"
    has sha256sum || has shasum || fail "install sha256sum or shasum first"
    target=$(target)
    if [ -z "$to" ]; then
        if [ "$(id -u)" -eq 0 ]; then to=/usr/local/bin; else to=$HOME/.local/bin; fi
    fi

    name=switchboard-$version-$target
    staged=''
    work=$(mktemp -d)
    trap 'rm -rf "$work" "$staged"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch "$name.tar.gz"
    tar -xzf "$work/$name.tar.gz" -C "$work"
    if cmp -s "$work/$name/switchboard" "$to/switchboard" 2>/dev/null; then
        echo "Switchboard $version is already in $to."
    else
        place "$work/$name/switchboard"
        echo "Switchboard $version is in $to."
    fi

    case :$PATH: in
        *":$to:"*) ;;
        *) echo "Your PATH lacks that folder: export PATH=\"$to:\$PATH\"" ;;
    esac
    echo "Next:"
    echo "  switchboard up --sandbox       try the whole product with a demo world"
    echo "  switchboard service install    run it as a service of systemd, as root"
}

# The last line: of a script that arrived in part nothing runs.
main "$@"
