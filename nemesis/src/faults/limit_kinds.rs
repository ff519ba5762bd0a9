//! The things that there can be too little of, and how little by default.

use tribunal_harness::cluster::cgroup::Controller;

use super::about::{About, ENDING, LATE};
use super::given::{Drawn, Given};
use super::limit::{Limit, LimitFault};
use super::target;
use super::{FaultOption, Needs};

const MIB: f64 = 1024.0 * 1024.0;

/// A machine that is shared with somebody busier.
pub static CPU: LimitFault = LimitFault {
    about: About {
        name: "cpu-limit",
        doc: "Starves the database's processes of processor time: once their quota is used up they stand until the period is over.",
        options: &[
            target::OPTION,
            FaultOption::new(
                "cores",
                "How many cores they may use in all, from 0.001; by default a half to a sixteenth of what they use when it begins.",
            ),
        ],
        needs: Needs::Cgroup(Controller::Cpu),
        assumes: LATE,
        seen: "the control group's counters: the quota was used up; and how long the processes ran",
        cost: "the database is watched for 200 ms first, then until its quota is used up: 0.9 s in all (load 37)",
    },
    draw: |given, rng| {
        let part = 2 << rng.below(4);
        let wanted = "a number of cores, from 0.001 to 1000";
        let given = given.number("cores", wanted, |it| (0.001..=1000.0).contains(&it))?;
        let core_ppm = given.map(|cores| (cores * 1e6).round() as u64);
        let what = match given {
            Some(cores) => format!("{cores} cores"),
            None => format!("1/{part} of the processor time that it uses"),
        };
        Ok((Limit::Cpu { part, core_ppm }, what))
    },
};

/// A machine that was planned too small, or a leak.
pub static MEMORY: LimitFault = LimitFault {
    about: About {
        name: "memory-limit",
        doc: "Lets the database's processes have no more memory; the kernel kills one that asks for more, and the database is started again at the end.",
        options: &[
            target::OPTION,
            FaultOption::new(
                "room_mb",
                "How much more than they have when it begins, in mebibytes; by default 0.",
            ),
            FaultOption::new(
                "limit_mb",
                "Instead: how much in all; less than what they have is no room.",
            ),
        ],
        needs: Needs::Cgroup(Controller::Memory),
        assumes: ENDING,
        seen: "the control group's counter: the kernel killed a process for want of memory",
        cost: "killed when it next asks for memory: after 0.1-2.8 s where seen (load 30); then its own start-up, as after `kill`",
    },
    draw: |given, _| {
        let mebibytes = |option| {
            let wanted = "a number of mebibytes, from 0 to a million";
            given.number(option, wanted, |it| (0.0..=1e6).contains(&it))
        };
        let (room, limit) = (mebibytes("room_mb")?.unwrap_or(0.0), mebibytes("limit_mb")?);
        let what = match limit {
            Some(limit) => format!("{limit} MiB of memory in all"),
            None => format!("{room} MiB more memory"),
        };
        let bytes = |mebibytes: f64| (mebibytes * MIB) as u64;
        Ok((Limit::Memory { room: bytes(room), limit: limit.map(bytes) }, what))
    },
};

/// Somebody else has them all.
pub static PROCESSES: LimitFault = LimitFault {
    about: About {
        name: "process-limit",
        doc: "Lets the database's processes start no other process and no thread: a fork fails with EAGAIN.",
        options: &[target::OPTION, ROOM],
        needs: Needs::Cgroup(Controller::Pids),
        assumes: ENDING,
        seen: "the control group's counter: a fork failed; the agent tries one in there where the database is quiet",
        cost: "95 ms to inject and see (load 37); nothing after it is healed",
    },
    draw: |given, _| {
        room(given, "processes and threads").map(|(room, what)| (Limit::Processes { room }, what))
    },
};

/// A leak of descriptors.
pub static FILES: LimitFault = LimitFault {
    about: About {
        name: "file-limit",
        doc: "Lets the database's processes open no other file or connection: open, accept and connect fail with EMFILE.",
        options: &[target::OPTION, ROOM],
        needs: Needs::Files,
        assumes: ENDING,
        seen: "from inside: a process that is made to duplicate a descriptor gets EMFILE",
        cost: "70 ms to inject and see (load 37), for which each process is stopped once for about a millisecond",
    },
    draw: |given, _| room(given, "open files").map(|(room, what)| (Limit::Files { room }, what)),
};

const ROOM: FaultOption =
    FaultOption::new("room", "How many more than there are when it begins; by default 0.");

fn room(given: &Given, what: &str) -> Drawn<u64> {
    let wanted = "a whole number from 0 to a million";
    let fits = |it: f64| (0.0..=1e6).contains(&it) && it.fract() == 0.0;
    let room = given.number("room", wanted, fits)?.unwrap_or(0.0) as u64;
    Ok((room, format!("{room} more {what}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::super::{Fault, Options, Plan, PlanError};
    use super::*;

    fn plan(fault: &LimitFault, given: serde_json::Value) -> Result<Plan, PlanError> {
        let options: Options = given.as_object().cloned().unwrap();
        fault.draw(&nodes(1), &options, &mut Seed(1).stream("t"))
    }

    #[test]
    fn a_plan_says_how_little_there_is() {
        let cpu = plan(&CPU, json!({"target": "one", "cores": 0.05})).unwrap();
        assert_eq!(cpu.summary, "n1: 0.05 cores");
        assert_eq!(cpu.data["limit"]["cpu"]["core_ppm"], 50_000);
        let memory = plan(&MEMORY, json!({"target": "one", "limit_mb": 64})).unwrap();
        assert_eq!(memory.summary, "n1: 64 MiB of memory in all");
        assert_eq!(memory.data["limit"]["memory"]["limit"], 64 << 20);
        let files = plan(&FILES, json!({"target": "one", "room": 3})).unwrap();
        assert_eq!(files.summary, "n1: 3 more open files");
        assert_eq!(files.data["limit"], json!({"files": {"room": 3}}));
    }

    #[test]
    fn nonsense_is_refused() {
        for (fault, bad) in [
            (&CPU, json!({"cores": 0})),
            (&MEMORY, json!({"room_mb": -1})),
            (&MEMORY, json!({"limit_mb": "much"})),
            (&PROCESSES, json!({"room": 0.5})),
            (&FILES, json!({"room": -1})),
        ] {
            assert!(plan(fault, bad.clone()).is_err(), "{bad}");
        }
    }
}
