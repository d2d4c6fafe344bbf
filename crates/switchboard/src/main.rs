//! The `switchboard` program.

fn main() -> std::process::ExitCode {
    switchboard::main()
}
