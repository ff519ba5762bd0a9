//! The page `docs/faults.md`: every fault, what it does, what it needs and how it is seen to act,
//! as the faults themselves tell. Nothing is said here that is not true of the code.

use std::fmt::Write as _;

use tribunal_harness::cluster::cgroup::Controller;

use crate::faults::{About, FAULTS, Fault, Needs};
use crate::scenarios::{SCENARIOS, Scenario};

const INTRODUCTION: &str = "\
# Faults

Written by `tribunal explain faults`. Each is undone at the end of its time, at the end of the run, at Ctrl-C, and by
itself when the controller is lost for longer than its lease of ten seconds: by the agents on the nodes, which write down
how before they do any harm, and by the wire between local nodes. A run whose fault was not seen to act is not `valid`.

A test file asks for faults by name and may choose their options:

```toml
[run]
faults = [\"partition\", \"kill\", \"link-slow\"]

[faults.link-slow]
links = \"node\"
delay_ms = 200
```

`tribunal cluster fault NAME -o OPTION=VALUE` injects one by hand, and says how long that took.

Costs were measured on five local nodes of a machine with two cores, which bear the controller, the wire and the database,
too; \"busy\" is three programs to each core. Injecting includes the first look at what came of it.

";

const MODELS: &str = "
## System models

`--system-model partially-synchronous/crash-recovery` (or `[run] system_model`) says what the database takes for
granted, and the nemesis injects only what can happen then; asking for anything else is refused. Of time: in a
`synchronous` system delays, pauses and clocks keep their bounds always, in a `partially-synchronous` one most of the
time, in an `asynchronous` one there are none. Of nodes: after `crash-stop` they are gone for good (`kill` does not start
the database again, and a majority is left), in `crash-recovery` they come back with their disks, and `byzantine` ones
and their links do anything. Safety is judged always. Where `[db] recovers_within` says how long the database takes to
recover, **liveness** is judged, too: in partially synchronous systems calls must succeed that long after the last
fault, in synchronous ones that long after each change, at every node that is not dead; asynchronous and Byzantine
systems promise nothing.

";

const SCENARIOS_INTRODUCTION: &str = "
## Scenarios

Outages that have a name, asked for like faults: `tribunal run TEST.toml -f github-2012 --time 150s`.

| scenario | what happens | faults |
|---|---|---|
";

/// The whole page.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "| fault | what it does | what it needs | how it is seen to act | what it costs |\n";
    page += "|---|---|---|---|---|\n";
    for fault in FAULTS {
        let About { name, doc, needs, seen, cost, .. } = fault.about();
        let needs = told(*needs);
        let _ = writeln!(page, "| `{name}` | {doc} | {needs} | {seen} | {cost} |");
    }
    page += MODELS;
    page += "| fault | the mildest model in which it can happen |\n|---|---|\n";
    for fault in FAULTS {
        let _ = writeln!(page, "| `{}` | {} |", fault.name(), fault.about().assumes);
    }
    page += "\n## Options\n\n| fault | option | what it means |\n|---|---|---|\n";
    for fault in FAULTS {
        for option in fault.about().options {
            let _ = writeln!(page, "| `{}` | `{}` | {} |", fault.name(), option.name, option.doc);
        }
    }
    page += SCENARIOS_INTRODUCTION;
    for scenario in SCENARIOS {
        let _ = writeln!(page, "| `{}` | {} | {} |", scenario.name, scenario.doc, scenario.steps());
    }
    page
}

/// A scenario, for a terminal.
pub fn scenario_entry(scenario: &Scenario) -> String {
    let (name, doc, steps) = (scenario.name, scenario.doc, scenario.steps());
    let seconds = scenario.ends().as_secs() + 15;
    format!(
        "{name}: {doc}\n  faults    {steps}\n  run       tribunal run TEST.toml -f {name} --time {seconds}s\n"
    )
}

/// One fault, for a terminal.
pub fn entry(fault: &dyn Fault) -> String {
    let About { name, doc, options, needs, assumes, seen, cost } = fault.about();
    let mut entry = format!("{name}: {doc}\n");
    let _ = writeln!(entry, "  needs     {}", told(*needs));
    let _ = writeln!(entry, "  observed  {seen}");
    let _ = writeln!(entry, "  assumes   {assumes}");
    let _ = writeln!(entry, "  costs     {cost}");
    for option in *options {
        let _ = writeln!(entry, "  {:<9} {}", option.name, option.doc);
    }
    entry
}

/// What is needed, in words.
fn told(needs: Needs) -> &'static str {
    match needs {
        Needs::Nft => "`nft` on the nodes",
        Needs::Daemon => "nothing but the agent",
        Needs::Clock => {
            "x86-64 (the vDSO of the database's processes is patched); for a host's own clock, root \
             there"
        }
        Needs::Start => "a run, which knows how the database is started",
        Needs::Membership => "`[db.membership]` in the test file, and `data_dir`",
        Needs::Upgrade => "`[db.upgrade]` in the test file",
        Needs::Cgroup(Controller::Freezer) => "control groups (version 1 with its freezer, or 2)",
        Needs::Cgroup(Controller::Cpu) => "control groups (version 1 or 2) with `cpu`",
        Needs::Cgroup(Controller::Memory) => {
            "control groups (version 1 or 2) with `memory`; a run, which starts the database again"
        }
        Needs::Cgroup(Controller::Pids) => "control groups (version 1 or 2) with `pids`",
        Needs::Files => "an agent with the database's own rights, or root's",
        Needs::Wire => "local nodes, whose wire is ours",
        Needs::Links => "local nodes, whose wire is ours; on hosts `tc` and a kernel with netem",
        Needs::Data => "a run with a `data_dir`; by hand, the option `data_dir`",
        Needs::Fuse => "a run with a `data_dir`; `/dev/fuse` on the nodes",
        Needs::Image => "a run with a `data_dir`; loop devices and `mkfs.ext4` on the nodes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/faults.md");
        let written = std::fs::read_to_string(path).expect("docs/faults.md");
        assert!(written == page(), "write it anew: tribunal explain faults > docs/faults.md");
    }

    #[test]
    fn every_fault_says_what_it_is() {
        for fault in FAULTS {
            let About { name, doc, seen, cost, .. } = fault.about();
            assert!(doc.ends_with('.') && !doc.contains('|'), "{name}");
            assert!(!seen.is_empty() && !seen.contains('|'), "{name}");
            assert!(!cost.is_empty() && !cost.contains('|'), "{name}");
            assert!(entry(*fault).starts_with(name));
        }
    }
}
