//! Tribunal's client for etcd: registers with compare-and-set, on the node it is
//! bound to and no other. Linearizable reads, etcd's default.

mod register;

use std::process::ExitCode;

use register::Register;

// The gRPC connection has tasks of its own, which run while this thread waits
// for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    tribunal_client::serve(&["cas-register", "register"], |_| Register::default()).await
}
