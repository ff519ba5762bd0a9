//! The `tribunal` command. All of it is in the library, so that a user's own
//! crate gets the same command with workloads and faults of its own.

fn main() -> std::process::ExitCode {
    tribunal::main()
}
