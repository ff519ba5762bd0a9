//! The weak levels of registers: hand-made histories with their anomalies in words, and large ones.

mod oracle;

use oracle::Draw;
use tribunal_checkers::transactions::{Level, Weak};
use tribunal_checkers::{Checker, Validity, Verdict};
use tribunal_history::{History, import};

fn read(text: &str) -> History {
    import::read_from(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}")).history
}

fn judge(text: &str, level: Level) -> Verdict {
    Weak::of(level).expect("a weak level").check(&read(text))
}

const LEVELS: [Level; 3] = [Level::ReadCommitted, Level::ReadAtomic, Level::Causal];

/// Judges by all levels, the weakest first: which are kept, and what the first that is not says.
#[track_caller]
fn check(text: &str, kept: usize, name: &str, message: &str) {
    for (at, level) in LEVELS.into_iter().enumerate() {
        let verdict = judge(text, level);
        let expected = if at < kept { Validity::Valid } else { Validity::Invalid };
        assert_eq!(verdict.validity, expected, "{level}: {verdict:#?}");
        if at == kept {
            assert_eq!(verdict.anomalies[0].name, name);
            assert_eq!(verdict.anomalies[0].message, message);
        }
    }
}

#[test]
fn reads_that_no_order_explains() {
    check("r(1,7,0,0)\n", 0, "garbage-read", "T0 (p0) read 7 of 1, but nobody ever wrote that.");
    check(
        "r(1,7,0,0)\nw(1,7,1,-1)\n",
        0,
        "G1a",
        "T0 (p0) read 7 of 1, but T2 (p1), which wrote that, was aborted.",
    );
    check(
        "w(1,7,0,0)\nw(1,8,0,0)\nr(1,7,1,1)\n",
        0,
        "G1b",
        "T2 (p1) read 7 of 1, but T0 (p0), which wrote that, wrote the key again in the same \
         transaction.",
    );
    check(
        "r(1,7,0,0)\nw(1,7,0,0)\n",
        0,
        "future-read",
        "T0 (p0) read 7 of 1, which it wrote itself only afterwards.",
    );
    check(
        "w(1,7,0,0)\nr(1,0,0,0)\n",
        0,
        "internal",
        "T0 (p0) read nothing of 1, although it had itself written 7 to it before.",
    );
}

#[test]
fn orders_that_cannot_be() {
    check(
        "w(1,5,0,0)\nw(2,6,0,0)\nr(1,5,1,1)\nr(2,0,1,1)\n",
        0,
        "non-monotonic-read",
        "T2 read from T0, where T0 (p0) is a writer of 2; and yet T2 (p1) read nothing of 2.",
    );
    check(
        "w(1,5,0,0)\nr(1,6,0,1)\nw(1,6,1,2)\nr(1,5,1,3)\n",
        1,
        "fractured-read",
        "T0 (p0) and T4 (p1) cannot be put in any order: T0, a writer of 1, comes before T4: p0 ran T0 \
         before T2, and yet T2 read 6 of 1, which T4 wrote; T4, a writer of 1, comes before T0: p1 ran T4 \
         before T6, and yet T6 read 5 of 1, which T0 wrote.",
    );
    check(
        "r(1,6,0,0)\nw(2,5,0,0)\nr(2,5,1,1)\nw(1,6,1,1)\n",
        0,
        "G1c",
        "T0 (p0) and T2 (p1) cannot be put in any order: T2 read 5 of 2, which T0 wrote; T0 read 6 of \
         1, which T2 wrote.",
    );
}

#[test]
fn causal() {
    check(
        "w(1,5,0,0)\nr(1,5,1,1)\nw(2,6,1,1)\nr(2,6,2,2)\nr(1,0,2,3)\n",
        2,
        "causality-violation",
        "T6 saw T0 through T2 and T4, where T0 (p0) is a writer of 1; and yet T6 (p2) read nothing of 1.",
    );
    check(
        "w(1,5,0,0)\nr(1,5,1,1)\nw(1,6,1,1)\nw(2,7,1,2)\nr(2,7,2,3)\nr(1,5,2,4)\n",
        2,
        "causality-violation",
        "T0 (p0) and T2 (p1) cannot be put in any order: T2 read 5 of 1, which T0 wrote; T2, a writer \
         of 1, comes before T0: T8 saw T2 through T4 and T6, and yet T8 read 5 of 1, which T0 wrote.",
    );
}

#[test]
fn a_cycle_of_a_weak_level_is_drawn() {
    let check = |text: &str, level, kinds: &[&str]| {
        let verdict = judge(text, level);
        assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
        for anomaly in &verdict.anomalies {
            let cycle = anomaly.details["cycle"].as_array().expect("steps");
            let told: Vec<&str> = cycle.iter().filter_map(|step| step["kind"].as_str()).collect();
            assert_eq!(told, kinds, "{cycle:#?}");
            assert_eq!(cycle[0]["from"], cycle[cycle.len() - 1]["to"], "{cycle:#?}");
            let last = kinds[kinds.len() - 1];
            let drawing = ["dot", "svg"].map(|name| anomaly.details[name].as_str().expect("text"));
            let [dot, svg] = drawing;
            assert!(dot.starts_with("digraph {") && dot.contains(&format!("{last}: ")), "{dot}");
            assert!(svg.starts_with("<svg ") && svg.contains(&format!(">{last}: ")), "{svg}");
        }
    };
    check("w(1,5,0,0)\nr(1,6,0,1)\nw(1,6,1,2)\nr(1,5,1,3)\n", Level::ReadAtomic, &["co", "co"]);
    // Whoever missed what it saw is on a cycle, too.
    let missed = "w(1,5,0,0)\nw(2,7,0,1)\nr(2,7,1,2)\nr(1,0,1,3)\n";
    check(missed, Level::Causal, &["so", "wr", "so", "rw"]);
}

#[test]
fn what_cannot_be_judged() {
    let verdict = judge("w(1,5,0,0)\nw(1,5,1,1)\n", Level::Causal);
    assert_eq!(
        verdict.objection.as_deref(),
        Some(
            "event 2 writes 5 to 1, as event 0 did; every value must be new to its key, or nobody can \
             tell who was read"
        )
    );
    assert!(Weak::of(Level::Serializable).is_none());
}

/// Commits one after the other, each of which reads up to `lag` commits ago, but never before
/// its session's last. With `stale`, one session in the middle goes back in time.
fn large(seed: u64, sessions: u64, lag: u64, stale: bool, by_session: bool) -> String {
    const TXNS: u64 = 100_000;
    const KEYS: u64 = 300;
    let mut draw = Draw(seed);
    let mut versions = vec![vec![(0_u64, 0_u64)]; KEYS as usize];
    let mut seen = vec![0; sessions as usize];
    let (mut value, mut lines) = (0, vec![String::new(); sessions as usize]);
    for txn in 1..=TXNS {
        let session = draw.below(sessions) as usize;
        let mut moment = (txn - 1).saturating_sub(draw.below(lag)).max(seen[session]);
        if stale && txn == TXNS / 2 {
            moment = TXNS / 4;
        }
        let mut line = String::new();
        let first = draw.below(KEYS);
        for key in [first, (first + 7) % KEYS, (first + 20) % KEYS] {
            let all = &versions[key as usize];
            let found = all[all.partition_point(|&(at, _)| at <= moment) - 1].1;
            line += &format!("r({key},{found},{session},{txn})\n");
        }
        let writes = !draw.one_in(3);
        if writes {
            for key in [first, draw.below(KEYS)] {
                value += 1;
                let last = versions[key as usize].last_mut().expect("the first version");
                if last.0 != txn {
                    versions[key as usize].push((txn, value));
                    line += &format!("w({key},{value},{session},{txn})\n");
                }
            }
        }
        seen[session] = if writes { txn } else { moment };
        lines[if by_session { session } else { 0 }] += &line;
    }
    lines.concat()
}

#[test]
fn large_histories() {
    for (seed, sessions, lag, by_session) in
        [(1, 3, 50, false), (2, 40, 900, false), (3, 900, 20_000, false), (4, 8, 200, true)]
    {
        let healthy = large(seed, sessions, lag, false, by_session);
        let stale = large(seed, sessions, lag, true, by_session);
        for level in LEVELS {
            assert_eq!(judge(&healthy, level).validity, Validity::Valid, "{level} {sessions}");
        }
        let verdict = judge(&stale, Level::Causal);
        assert_eq!(verdict.validity, Validity::Invalid, "{sessions} sessions");
        assert_eq!(verdict.anomalies[0].name, "causality-violation");
    }
}

/// A history of transactions one after the other, in so many sessions: most read the newest value of a key,
/// one in `late` an older one, and each writes. With one `crashed` transaction that somebody read.
fn sessions(draw: &mut Draw, sessions: u64, late: u64, crashed: bool) -> History {
    let mut values: Vec<Vec<u64>> = vec![Vec::new(); 12];
    let mut lines = String::new();
    let mut time = 0;
    let mut line = |process: u64, kind: &str, value: String| {
        time += 1;
        lines += &format!(
            r#"{{"time":{time},"process":{process},"type":"{kind}","f":"txn","value":[{value}]}}"#
        );
        lines.push('\n');
    };
    if crashed {
        line(sessions, "invoke", r#"["w","crashed",1]"#.into());
        line(sessions, "info", r#"["w","crashed",1]"#.into());
    }
    for txn in 1..=2_500 {
        let (process, read, written) = (draw.below(sessions), draw.below(12), draw.below(12));
        let known = &values[read as usize];
        let old = if draw.one_in(late) { draw.below(known.len().max(1) as u64) } else { 0 };
        let found = known.iter().rev().nth(old as usize).map_or("null".to_owned(), u64::to_string);
        let peek = if crashed && txn == 1 { r#",["r","crashed",1]"# } else { "" };
        let ask = if peek.is_empty() { "" } else { r#",["r","crashed",null]"# };
        let write = format!(r#"["w",{written},{txn}]"#);
        line(process, "invoke", format!(r#"["r",{read},null],{write}{ask}"#));
        line(process, "ok", format!(r#"["r",{read},{found}],{write}{peek}"#));
        values[written as usize].push(txn);
    }
    read(&lines)
}

/// Whoever crashed is in no session, and then it is not clocks that tell who saw whom but windows: what is
/// found must be the same.
#[test]
fn clocks_and_windows_find_the_same() {
    let mut found = [0, 0];
    for (seed, count) in (1..=60).zip([1, 3, 16, 17, 40].into_iter().cycle()) {
        for late in [1_000_000, 400] {
            let [clocks, windows] = [false, true].map(|crashed| {
                let history = sessions(&mut Draw(seed), count, late, crashed);
                Weak::of(Level::Causal).expect("a weak level").check(&history)
            });
            assert_eq!(clocks.validity, windows.validity, "{seed} {count} {late}");
            assert_eq!(clocks.anomalies.len(), windows.anomalies.len(), "{seed} {count} {late}");
            found[usize::from(clocks.validity == Validity::Invalid)] += 1;
        }
    }
    assert!(found.iter().all(|&count| count > 20), "{found:?}");
}
