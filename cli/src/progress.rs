//! Listeners: how a run shows itself on standard error while it goes.
//!
//! On a terminal a live line (indicatif); elsewhere one plain line a phase and
//! one every thirty seconds. Results are not printed here: they go to standard output.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tribunal_harness::events::{Listener, Phase, RunEvent};
use tribunal_harness::store::RunRecord;
use tribunal_history::{Event, FaultNote, Kind, Process, Stage};

const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// The listener that suits standard error.
pub fn listener() -> Box<dyn Listener> {
    let terminal = std::io::stderr().is_terminal();
    // indicatif hides its bars there, and a run without a sign of life looks hung.
    let dumb = std::env::var_os("NO_COLOR").is_some()
        || std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if terminal && !dumb { Box::new(Bar::new()) } else { Box::new(Plain::new()) }
}

/// The listener of a run beside others: only what goes wrong is told.
pub fn silence() -> Box<dyn Listener> {
    Box::new(Silence)
}

/// Tells nothing but alerts.
struct Silence;

impl Listener for Silence {
    fn on(&mut self, event: RunEvent) {
        if let RunEvent::Alert(text) = event {
            eprintln!("  ! {text}");
        }
    }
}

/// What the other two count.
#[derive(Default)]
struct Counts {
    ok: u64,
    fail: u64,
    info: u64,
    faults: Vec<(u64, String)>,
}

impl Counts {
    fn add(&mut self, event: &Event) {
        match (event.process, event.kind) {
            (Process::Client(_), Kind::Ok) => self.ok += 1,
            (Process::Client(_), Kind::Fail) => self.fail += 1,
            (Process::Client(_), Kind::Info) => self.info += 1,
            (Process::Client(_), Kind::Invoke) => {}
            (Process::Nemesis, _) => self.add_fault(event),
        }
    }

    fn add_fault(&mut self, event: &Event) {
        let Ok(note) = serde_json::from_value::<FaultNote>(event.value.clone()) else { return };
        self.faults.retain(|(id, _)| *id != note.id);
        if note.stage != Stage::Healed {
            self.faults.push((note.id, format!("{} {}", event.f, note.summary)));
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let all = self.ok + self.fail + self.info;
        let rate = all as f64 / elapsed.as_secs_f64().max(0.001);
        let mut line = format!("{all} calls  {rate:.0}/s");
        // What is happening now comes first: a narrow terminal cuts the end.
        let faults: Vec<&str> = self.faults.iter().map(|(_, fault)| fault.as_str()).collect();
        if !faults.is_empty() {
            line += &format!("  fault: {}", faults.join(", "));
        }
        for (name, count) in [("ok", self.ok), ("fail", self.fail), ("info", self.info)] {
            if count > 0 {
                line += &format!("  {name} {}", percent(count, all));
            }
        }
        line
    }
}

/// A few among very many are not none.
fn percent(count: u64, all: u64) -> String {
    match 100.0 * count as f64 / all as f64 {
        part if part < 0.5 => "<1%".to_owned(),
        part if part > 99.5 && count < all => ">99%".to_owned(),
        part => format!("{part:.0}%"),
    }
}

fn headline(record: &RunRecord) -> String {
    let faults =
        if record.faults.is_empty() { "no faults".into() } else { record.faults.join(",") };
    format!(
        "{} · {} nodes · {} · {faults} · seed {} · run {}",
        record.test,
        record.nodes.len(),
        record.workload,
        record.seed,
        record.id
    )
}

/// One plain line a phase.
struct Plain {
    counts: Counts,
    phase: Option<(Phase, Instant)>,
    printed: Instant,
}

impl Plain {
    fn new() -> Self {
        Self { counts: Counts::default(), phase: None, printed: Instant::now() }
    }

    fn begin(&mut self, phase: Phase) {
        if let Some((Phase::Load, since)) = self.phase {
            self.counts.faults.clear();
            eprintln!("  {:<10} {}", "", self.counts.line(since.elapsed()));
        }
        eprintln!("  {}", phase.name());
        self.phase = Some((phase, Instant::now()));
        self.printed = Instant::now();
    }
}

impl Listener for Plain {
    fn on(&mut self, event: RunEvent) {
        match event {
            RunEvent::Started(record) => eprintln!("{}", headline(record)),
            RunEvent::Phase(phase) => self.begin(phase),
            RunEvent::Alert(text) => eprintln!("  ! {text}"),
            RunEvent::Recorded(event) => {
                self.counts.add(event);
                if self.printed.elapsed() >= PLAIN_EVERY {
                    self.printed = Instant::now();
                    let elapsed = self.phase.map_or(Duration::ZERO, |(_, since)| since.elapsed());
                    eprintln!(
                        "  {:<10} {}",
                        format!("{}s", elapsed.as_secs()),
                        self.counts.line(elapsed)
                    );
                }
            }
        }
    }
}

/// A live line.
struct Bar {
    counts: Counts,
    bar: ProgressBar,
    phase: Option<(Phase, Instant)>,
    limit: Duration,
    drawn: Instant,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        Self {
            counts: Counts::default(),
            bar,
            phase: None,
            limit: Duration::ZERO,
            drawn: Instant::now(),
        }
    }

    fn begin(&mut self, phase: Phase) {
        self.end_phase();
        let loading = phase == Phase::Load;
        let template = if loading {
            "  {prefix:10} {bar:14} {wide_msg}"
        } else {
            "  {prefix:10} {spinner} {elapsed}"
        };
        let style = ProgressStyle::with_template(template).expect("the template is a constant");
        self.bar.set_style(style.progress_chars("━╸─"));
        self.bar.set_length(self.limit.as_millis() as u64);
        self.bar.set_position(0);
        self.bar.reset_elapsed();
        self.bar.set_prefix(phase.name());
        self.bar.enable_steady_tick(Duration::from_millis(100));
        self.phase = Some((phase, Instant::now()));
    }

    /// Leaves a line of the phase that is over.
    fn end_phase(&mut self) {
        let Some((phase, since)) = self.phase.take() else { return };
        let mut line = format!("  {:10} {:>6.1}s", phase.name(), since.elapsed().as_secs_f64());
        if phase == Phase::Load {
            self.counts.faults.clear();
            line = format!("{line}  {}", self.counts.line(since.elapsed()));
        }
        self.bar.println(line);
    }
}

impl Listener for Bar {
    fn on(&mut self, event: RunEvent) {
        match event {
            RunEvent::Started(record) => {
                self.limit = Duration::from_secs_f64(record.time_s);
                self.bar.println(headline(record));
            }
            RunEvent::Phase(phase) => self.begin(phase),
            RunEvent::Alert(text) => self.bar.println(format!("  ! {text}")),
            RunEvent::Recorded(event) => {
                self.counts.add(event);
                let Some((Phase::Load, since)) = self.phase else { return };
                if self.drawn.elapsed() >= Duration::from_millis(100) {
                    self.drawn = Instant::now();
                    let elapsed = since.elapsed();
                    self.bar.set_position(elapsed.min(self.limit).as_millis() as u64);
                    let clock = format!("{}/{}s", elapsed.as_secs(), self.limit.as_secs());
                    self.bar.set_message(format!("{clock}  {}", self.counts.line(elapsed)));
                }
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end_phase();
        self.bar.finish_and_clear();
        // The result follows.
        eprintln!();
    }
}
