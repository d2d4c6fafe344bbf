#!/bin/sh
# The compiler of the tests' build: clippy's for what has tests, which is all code of a crate, and for crates without tests.
# rustc compiles the libraries that others use, so that no code is linted twice.
# `LINTING_COMPILER` is clippy's compiler; `PROGRAM_ARGUMENT` is for programs alone. The arguments are those of rustc, its path first.
case " $* " in
*" --test "* | *" --crate-type bin "*) exec "$LINTING_COMPILER" "$@" ${PROGRAM_ARGUMENT:+"$PROGRAM_ARGUMENT"} ;;
esac
if grep -qs '^test = false' "$CARGO_MANIFEST_DIR/Cargo.toml"; then
    exec "$LINTING_COMPILER" "$@"
fi
exec "$@"
