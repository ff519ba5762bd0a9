//! The report of synthetic runs: what a person must find on it, and what a
//! hostile database must not manage to put there. Every page is left in the
//! target folder's `tmp`, to be looked at.

mod any;
mod synthetic;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use synthetic::{HOSTILE, Run};
use tribunal_harness::report;

/// The page, kept for a person to open.
fn page(name: &str, run: &Run) -> String {
    let page = report::render(&run.record, &run.history, &run.verdict, &run.logs);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.html"));
    std::fs::write(&path, &page).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    page
}

fn summary(run: &Run) -> String {
    report::summary(&run.record, &run.history, &run.verdict)
}

/// The data that the script draws, read back from the page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"id="data">"#).expect("the page has data");
    let (json, _) = rest.split_once("</script>").expect("the data ends");
    serde_json::from_str(json).expect("the data is JSON")
}

fn carried(page: &str) -> usize {
    data(page)["calls"]["index"].as_array().expect("a column").len()
}

/// Whatever a drawing holds, it is an image, and none of its text is on the page.
#[test]
fn a_drawing_is_an_image() {
    let mut run = synthetic::lost_write();
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>torn()</script></svg>";
    let details = &mut run.verdict.anomalies[0].details;
    details.insert("svg".to_owned(), svg.into());
    details.insert("dot".to_owned(), "digraph { torn }".into());
    let page = page("drawing", &run);
    assert_eq!(page.matches("src=\"data:image&#x2f;svg+xml;base64,PHN2Zy").count(), 1);
    assert!(!page.contains("torn") && page.contains("img-src data:"));
    run.verdict.anomalies[0].details.insert("svg".to_owned(), "x".repeat(100_000).into());
    assert!(!self::page("no-drawing", &run).contains("base64,"));
}

#[test]
fn a_lost_write_is_told_with_its_calls_its_fault_and_its_command() {
    let run = synthetic::lost_write();
    let page = page("lost-write", &run);
    for needed in [
        "INVALID",
        "the clock of n2 was 5.000 s ahead",
        "clock-jump n2 +5.000 s",
        "write 100 42",
        "read 100 → 41",
        "--seed 5e1f09c2",
        "✓ observed",
    ] {
        assert!(page.contains(needed), "the page does not say {needed:?}");
    }
    assert!(carried(&page) >= 3_005, "a small history is there as a whole");
    let logs = page.split_once("what the database said meanwhile (3 lines)").expect("logs").1;
    let logs = logs.split_once("</table>").expect("the table ends").0;
    let said = [
        "9.020 s",
        "stores 41 &lt;&#x2f;td&gt;&lt;script&gt;",
        "no time of its own",
        "9.250 s",
        "stores 42",
    ];
    let places: Vec<usize> =
        said.iter().map(|it| logs.find(it).unwrap_or_else(|| panic!("{it}: {logs}"))).collect();
    assert!(places.is_sorted(), "in the order of their times");
    assert!(!logs.contains("starts") && !logs.contains("is stopped"), "of that moment only");
    insta::assert_snapshot!(summary(&run));
}

#[test]
fn a_split_brain_is_told() {
    let run = synthetic::split_brain();
    assert!(page("split-brain", &run).contains("pause n1 (leader)"));
    insta::assert_snapshot!(summary(&run));
}

#[test]
fn a_large_run_travels_light_and_its_overview_counts_every_call() {
    let run = synthetic::large();
    let page = page("large", &run);
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    let carried = carried(&page);
    assert!((5_000..60_000).contains(&carried), "{carried} calls");
    let overview: BTreeMap<String, Vec<u64>> =
        serde_json::from_value(data(&page)["overview"].clone()).expect("three columns");
    assert_eq!(overview.values().flatten().sum::<u64>(), 60_000);
    assert_eq!(data(&page)["faults"].as_array().map(Vec::len), Some(6));
    insta::assert_snapshot!(summary(&run));
}

#[test]
fn the_sample_of_a_large_run_leaves_no_part_of_it_out() {
    let page = page("large-sample", &synthetic::large());
    let starts = data(&page)["calls"]["start"].as_array().expect("a column").clone();
    let longest = starts.iter().filter_map(Value::as_u64).max().expect("some calls");
    assert!(longest < 100 * synthetic::MS, "a gap of {longest} ns in sixty seconds of steady load");
}

#[test]
fn a_run_without_calls_is_told_as_one() {
    let run = synthetic::empty();
    let page = page("empty", &run);
    assert!(page.contains("UNKNOWN") && page.contains("n2 refused SSH"));
    insta::assert_snapshot!(summary(&run));
}

#[test]
fn another_tools_history_has_marks_instead_of_bands() {
    let run = synthetic::foreign();
    let data = data(&page("foreign", &run));
    assert_eq!(data["marks"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["end"], 315 * synthetic::MS, "times are told from the first event on");
    insta::assert_snapshot!(summary(&run));
}

#[test]
fn what_a_database_says_stays_text() {
    let run = synthetic::hostile();
    let page = page("hostile", &run);
    assert!(!page.contains("<img"), "a value became an element");
    assert!(!page.contains("49 "), "a value was run as a template");
    assert!(!page.contains(HOSTILE));
    assert_eq!(page.matches("</script>").count(), 2, "the data and the script, and no more");
    assert!(page.contains("20 further anomalies are not shown"));
    assert_eq!(data(&page)["anomalies"].as_array().map(Vec::len), Some(50));
    let summary = summary(&run);
    assert!(!summary.contains(['\u{7}', '\u{202e}', '\u{1b}']), "{summary}");
}

#[test]
fn the_policy_names_what_is_on_the_page_and_nothing_else() {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let page = page("policy", &synthetic::lost_write());
    for (open, close) in [("<style>", "</style>"), (r#"<script type="module">"#, "</script>")] {
        let (_, rest) = page.split_once(open).expect("it is there");
        let (content, _) = rest.split_once(close).expect("it ends");
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(content));
        assert!(page.contains(&format!("'sha256-{hash}'")), "{open} has another hash");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe-inline"));
    for fetched in ["src=\"", "href=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(fetched), "the page would fetch {fetched}");
    }
}

#[test]
fn no_line_for_the_terminal_is_wider_than_a_hundred_columns() {
    let runs = [
        synthetic::lost_write(),
        synthetic::split_brain(),
        synthetic::hostile(),
        synthetic::foreign(),
    ];
    for line in runs.iter().map(summary).collect::<String>().lines() {
        let again = line.starts_with("again    ");
        assert!(again || line.chars().count() <= 100, "{}: {line}", line.chars().count());
    }
}

/// What is left of the page after a browser has run its script.
fn in_a_browser(name: &str) -> Option<String> {
    let profile = tempfile::tempdir().expect("a folder for the browser's profile");
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.html"));
    let browser = Command::new("timeout")
        .args(["60", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
        .args(["--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output();
    let dumped = browser.ok().filter(|browser| browser.status.success())?;
    Some(String::from_utf8_lossy(&dumped.stdout).into_owned())
}

#[test]
fn the_script_draws_in_a_browser() {
    let runs = [
        ("browser-lost-write", synthetic::lost_write()),
        ("browser-hostile", synthetic::hostile()),
        ("browser-empty", synthetic::empty()),
    ];
    for (name, run) in runs {
        let carried = carried(&page(name, &run));
        let Some(drawn) = in_a_browser(name) else {
            eprintln!("skipped: chromium does not start here, so no browser ran the script");
            return;
        };
        assert!(
            drawn.contains(&format!("data-drawn=\"{carried}\"")),
            "{name}: the script did not end"
        );
        assert!(!drawn.contains("<img"), "{name}: a value became an element");
    }
}
