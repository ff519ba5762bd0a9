//! What becomes of elements: each outcome, each sentence, each rule for crashed calls.

mod lines;
mod oracle;
mod script;

use std::collections::BTreeSet;

use oracle::{Draw, Outcome, seeds, slots};
use script::Script;
use serde_json::json;
use tribunal_checkers::{Checker, SetFull, Validity, Verdict};
use tribunal_history::History;

fn check(calls: &str) -> Verdict {
    SetFull::default().check(&lines::read(calls))
}

/// Validity and the counts of stable, stale, lost and never read elements.
#[track_caller]
fn expect(calls: &str, validity: Validity, counts: [u64; 4]) -> Verdict {
    let verdict = check(calls);
    let found = ["stable", "stale", "lost", "never_read"].map(|name| verdict.facts[name].clone());
    assert_eq!(found, counts.map(|count| json!(count)), "{verdict:#?}");
    assert_eq!(verdict.validity, validity, "{verdict:#?}");
    verdict
}

#[test]
fn elements_are_stable_lost_or_never_read() {
    expect("p0 1-2 add 7\np1 3-4 read = [7]", Validity::Valid, [1, 0, 0, 0]);
    expect("p0 1-2 add 7", Validity::Unknown, [0, 0, 0, 1]);
    // The read may have looked before the add took effect.
    expect("p0 1-4 add 7\np1 2-3 read = []", Validity::Unknown, [0, 0, 0, 1]);
    expect("p0 1-2? add 7\np1 3-4 read = []", Validity::Unknown, [0, 0, 0, 1]);
    expect("p0 1-2? add 7\np1 3-4 read = [7]", Validity::Valid, [1, 0, 0, 0]);
    expect("p0 1-2 add 7\np1 3-4? read = []", Validity::Unknown, [0, 0, 0, 1]);
    expect("p0 1-2x add 7\np1 3-4 read = []", Validity::Unknown, [0, 0, 0, 0]);
}

#[test]
fn a_lost_element_is_told() {
    let calls = "p0 1-2 add 7
         p1 3-4 read = [7]
         p2 5-6 read = []";
    let verdict = expect(calls, Validity::Invalid, [0, 0, 1, 0]);
    assert_eq!(
        verdict.anomalies[0].message,
        "7 is lost: p0's add of it had been acknowledged at 0.002 s, but p2's read (0.005–0.006 s) \
         did not see it, nor did any read that began later; p1's read (0.003–0.004 s) was the last \
         to see it"
    );
    assert_eq!(verdict.anomalies[0].ops, [0, 2, 4]);
    assert_eq!(verdict.facts["lost_latency_ns"]["max"], 1_000_000);
    // Nobody acknowledged it, but it had been seen.
    expect(&calls.replace("1-2", "1-2?"), Validity::Invalid, [0, 0, 1, 0]);
}

/// Several that are lost are told of as one loss, with the nodes, the time and the fault.
#[test]
fn what_is_lost_in_all_comes_first() {
    let history = History::parse(
        r#"
        {"time":1000000000,"process":"nemesis","type":"info","f":"pause","value":{"id":1,"stage":"inject","nodes":["n1"],"summary":"n1"}}
        {"time":2000000000,"process":"nemesis","type":"info","f":"pause","value":{"id":1,"stage":"injected","nodes":["n1"],"summary":"n1"}}
        {"time":3000000000,"process":0,"type":"invoke","f":"add","value":7,"node":"n1"}
        {"time":4000000000,"process":0,"type":"ok","f":"add","value":7,"node":"n1"}
        {"time":5000000000,"process":0,"type":"invoke","f":"add","value":8,"node":"n1"}
        {"time":6000000000,"process":0,"type":"ok","f":"add","value":8,"node":"n1"}
        {"time":7000000000,"process":1,"type":"invoke","f":"add","value":9,"node":"n2"}
        {"time":8000000000,"process":1,"type":"ok","f":"add","value":9,"node":"n2"}
        {"time":9000000000,"process":1,"type":"invoke","f":"read","node":"n2"}
        {"time":9100000000,"process":1,"type":"ok","f":"read","value":[9],"node":"n2"}"#,
    )
    .expect("a history");
    let verdict = SetFull::default().check(&history);
    let told = &verdict.anomalies[0].message;
    let start = "2 elements are lost, and 3 were acknowledged in all. The lost were added through n1 (2) \
                 from 3.000 s to 6.000 s, under pause n1 since 2.000 s. The first of them: 7 is lost: ";
    assert!(told.starts_with(start), "{told}");
    assert_eq!(verdict.anomalies[0].details["lost"], 2);
    assert!(
        verdict.anomalies[1].message.starts_with("8 is lost"),
        "the others speak for themselves"
    );
}

#[test]
fn a_stale_element_is_allowed_unless_asked() {
    let calls = "p0 1-2 add 7
         p1 5-6 read = []
         p2 7-8 read = [7]";
    let verdict = expect(calls, Validity::Valid, [1, 1, 0, 0]);
    let worst = json!([
        {"element": 7, "known_ns": 2_000_000, "last_missed_ns": 5_000_000, "stale_ns": 3_000_000}
    ]);
    assert_eq!(verdict.facts["worst_stale"], worst);
    let verdict = SetFull { linearizable: true }.check(&lines::read(calls));
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(
        verdict.anomalies[0].message,
        "p1's read (0.005–0.006 s) did not see 7, although p0's add of it had been acknowledged at \
         0.002 s, 0.003 s before it began; later reads did see it"
    );
}

#[test]
fn elements_that_should_not_be_there() {
    let add = "p0 1-2 add 7\np1 3-4 read = ";
    let verdict = check(&format!("{add}[7, 7]"));
    assert_eq!(verdict.anomalies[0].message, "p1's read (0.003–0.004 s) held 7 more than once");
    let verdict = check(&format!("{add}[7, 8]"));
    let message = "p1's read (0.003–0.004 s) saw 8, but 8 was never added";
    assert_eq!(verdict.anomalies[0].message, message);
    let verdict = check("p2 1-2x add 8\np0 1-2 add 7\np1 3-4 read = [7, 8]");
    assert_eq!(
        verdict.anomalies[0].message,
        "p1's read (0.003–0.004 s) saw 8, but 8 was never added: p2's add of 8 (from 0.001 s) had failed"
    );
    let verdict = check("p0 1-2 read = [7]\np1 3-4 add 7");
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(check("p0 1-2 enqueue 7").validity, Validity::Unknown);
}

/// The outcomes by their definition, element by element and read by read.
fn outcomes(calls: &[(u32, u32, bool, Vec<u32>)], reads: &[(u32, u32, BTreeSet<u32>)]) -> [u64; 4] {
    let mut counts = [0; 4];
    for (start, end, ok, element) in calls {
        let can = reads.iter().filter(|read| read.1 > *start);
        let (saw, missed): (Vec<_>, Vec<_>) = can.partition(|read| read.2.contains(&element[0]));
        let present = saw.iter().map(|read| read.0).max();
        let absent = missed.iter().map(|read| read.0).max();
        let known = saw.iter().map(|read| read.1).chain(ok.then_some(*end)).min();
        let stable = present.is_some() && absent < present;
        let missed_late = known.is_some() && absent > known;
        counts[match stable {
            true => 0,
            false if missed_late => 2,
            false => 3,
        }] += 1;
        counts[1] += u64::from(stable && missed_late);
    }
    counts
}

#[test]
fn outcomes_agree_with_their_definition() {
    let mut seen = [0; 4];
    for seed in seeds() {
        let draw = &mut Draw(seed);
        let (mut text, mut adds, mut reads) = (String::new(), Vec::new(), Vec::new());
        for (number, slot) in (0_u32..).zip(slots(draw, 12, 2)) {
            let mark = match slot.outcome {
                Outcome::Ok => "",
                Outcome::Fail => "x",
                Outcome::Info | Outcome::Open => "?",
            };
            let times = format!("p{number} {}-{}{mark}", slot.start, slot.end);
            if draw.one_in(2) && slot.outcome != Outcome::Fail {
                text += &format!("{times} add {number}\n");
                adds.push((slot.start, slot.end, slot.outcome == Outcome::Ok, vec![number]));
            } else if slot.outcome == Outcome::Ok {
                let began = adds.iter().filter(|add| add.0 < slot.end);
                let held: BTreeSet<u32> =
                    began.map(|add| add.3[0]).filter(|_| !draw.one_in(3)).collect();
                text += &format!("{times} read = {:?}\n", held.iter().collect::<Vec<_>>());
                reads.push((slot.start, slot.end, held));
            }
        }
        let verdict = check(&text);
        let counts = outcomes(&adds, &reads);
        let found = ["stable", "stale", "lost", "never_read"].map(|name| &verdict.facts[name]);
        assert_eq!(found.map(|it| it.as_u64().expect("a count")), counts, "seed {seed}\n{text}");
        (0..4).for_each(|at| seen[at] += counts[at]);
    }
    println!("stable, stale, lost, never read: {seen:?}, 0 mismatches");
    assert!(seen.iter().all(|count| *count > 0));
}

#[test]
fn many_strangers_among_many_failures_are_told_at_once() {
    // So many that comparing each with each takes minutes.
    const MANY: u64 = 150_000;
    let mut script = Script::new();
    for value in 0..MANY {
        let add = json!({"p": 0, "f": "add", "arg": value, "end": "fail"});
        script.call((2 * value + 1, 2 * value + 2), add);
    }
    let strangers: Vec<u64> = (1..=MANY).rev().collect();
    let read = json!({"p": 1, "f": "read", "value": strangers});
    script.call((2 * MANY + 1, 2 * MANY + 2), read);
    let verdict = SetFull::default().check(&script.history());
    assert_eq!(verdict.facts["unexpected"], json!(MANY));
    assert_eq!(verdict.validity, Validity::Invalid);
}
