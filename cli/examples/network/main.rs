//! What the network of local nodes costs, measured here: the round trip over the wire beside
//! loopback and a veth pair, and how long a partition of five nodes takes to be made and healed.
//!
//! As root: `cargo run --release --package tribunal --example network`.
//!
//! It is no benchmark in a loop: nodes, agents and the wire are the real ones, and processes of their
//! own. Nodes are this executable, started again, as they are `tribunal`'s.

mod partitions;
mod round_trips;

use std::process::ExitCode;

use anyhow::Context;
use tribunal_harness::cluster::local::{self, Lifetime};

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        return tribunal::main();
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("network: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cluster = local::up(None, 5, Lifetime::Run).await?;
        let record = local::Record::read(&local::record::directory(&cluster.name))?;
        let load = std::fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
        println!("load of this machine: {}", load.trim());
        let trips = tokio::task::spawn_blocking(move || round_trips::table(&record)).await?;
        let done = match trips {
            Ok(table) => {
                print!("{table}");
                partitions::table(&cluster).await.map(|table| print!("{table}"))
            }
            Err(error) => Err(error),
        };
        cluster.down().await?;
        done
    })
}
