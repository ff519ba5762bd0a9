//! `tribunal explain`: what an anomaly is, of transactions with an example; what a fault does; what a
//! workload asks.

use anyhow::anyhow;
use clap::Args;
use tribunal_checkers::anomalies::{self, MEANINGS};
use tribunal_checkers::transactions::Phenomenon;
use tribunal_nemesis::scenarios::{self, SCENARIOS};
use tribunal_nemesis::{FAULTS, catalogue, faults};
use tribunal_workloads::{WORKLOADS, find};

use crate::Exit;

/// Explains an anomaly, a fault, a scenario, or a workload.
#[derive(Args)]
pub struct Explain {
    /// Its name: `G-single`, `split-brain`, `link-slow`, `github-2012`, `bank`; `anomalies` (by default), `faults` or `workloads` for all.
    name: Option<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.name.as_deref() {
            None | Some("anomalies") => print!("{}", anomalies::page()),
            Some("faults") => print!("{}", catalogue::page()),
            Some("workloads") => print!("{}", tribunal_workloads::page()),
            Some(name) => print!("{}", explanation(name)?),
        }
        Ok(Exit::Valid)
    }
}

fn explanation(name: &str) -> anyhow::Result<String> {
    if let Some(phenomenon) = Phenomenon::named(name) {
        return Ok(phenomenon.explanation());
    }
    // Some workloads are called by what they look for.
    if let Some(meaning) = anomalies::meaning(name) {
        let workload = find(name).map(|definition| format!("\n{}", definition.page()));
        return Ok(meaning.explanation() + &workload.unwrap_or_default());
    }
    if let Ok(fault) = faults::find(name) {
        return Ok(catalogue::entry(fault));
    }
    if let Some(scenario) = scenarios::find(name) {
        return Ok(catalogue::scenario_entry(scenario));
    }
    if let Ok(definition) = find(name) {
        return Ok(definition.page());
    }
    let objects = MEANINGS.iter().map(|known| known.name);
    let anomalies: Vec<_> = Phenomenon::all().map(Phenomenon::name).chain(objects).collect();
    let faults = FAULTS.iter().map(|fault| fault.name());
    let faults: Vec<_> = faults.chain(SCENARIOS.iter().map(|scenario| scenario.name)).collect();
    let workloads: Vec<_> = WORKLOADS.iter().map(|definition| definition.name).collect();
    let known = [anomalies, faults, workloads].map(|names| names.join(", ")).join("; ");
    let error = anyhow!(
        "`{name}` is no anomaly, no fault and no workload that is explained here; there are {known}"
    );
    Err(error.context(Exit::Usage))
}
