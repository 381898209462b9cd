//! The binary `vestibule`.

fn main() -> std::process::ExitCode {
    vestibule_server::cli::main()
}
