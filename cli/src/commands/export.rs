//! `tribunal export`: a history for other tools, and the drawing of an anomaly.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use tribunal_checkers::Anomaly;
use tribunal_history::{History, edn, jsonl};

use crate::Exit;
use crate::commands::check;

/// Writes a history as JSON lines, as Jepsen's EDN, or in the store's own format; or draws a run's anomaly.
#[derive(Args)]
pub struct Export {
    /// A run (an id's beginning, `latest`, `latest-fail`, `-2`) or a history file.
    #[arg(value_name = "RUN|FILE", allow_negative_numbers = true)]
    target: String,
    /// The format to write.
    #[arg(value_enum, default_value = "jsonl")]
    format: Format,
    /// The file to write, which must not be there yet; standard output by default.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Of dot and svg: which of the verdict's anomalies, from 1; the first that has a drawing by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    anomaly: Option<u32>,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

/// The formats that can be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Apache Arrow's stream format: a table for Polars, pandas or DuckDB.
    Arrow,
    /// Jepsen's EDN: one map a line, for Elle and Knossos.
    Edn,
    /// A cycle of transactions as a graph, for Graphviz.
    Dot,
    /// A cycle of transactions as a picture.
    Svg,
}

impl Export {
    /// Writes it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.format {
            Format::Dot => return self.draw("dot"),
            Format::Svg => return self.draw("svg"),
            _ if self.anomaly.is_some() => {
                return Err(usage(format!(
                    "--anomaly is for a drawing: tribunal export {} svg --anomaly N",
                    self.target
                )));
            }
            _ => {}
        }
        let history = check::read(&self.target, &self.store)?;
        if !history.has_real_time() && !matches!(self.format, Format::Arrow) {
            let error = anyhow!(
                "{}: nobody recorded when its calls were made, and only the store format can say so: \
                 export it as arrow",
                self.target
            );
            return Err(error.context(Exit::Usage));
        }
        self.give(|to| self.write(&history, to))
    }

    /// Writes to the file that was named, or to standard output.
    fn give(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<Exit> {
        match &self.output {
            None => write(&mut io::stdout().lock()).context(Exit::Harness)?,
            Some(path) => {
                let name = || path.display().to_string();
                let mut file = std::fs::File::create_new(path).with_context(name)?;
                write(&mut file).with_context(name).context(Exit::Harness)?;
            }
        }
        Ok(Exit::Valid)
    }

    /// Writes the drawing of one of the run's anomalies.
    fn draw(&self, kind: &str) -> anyhow::Result<Exit> {
        let target = &self.target;
        if Path::new(target).is_file() {
            return Err(usage(format!(
                "{target}: only a run's verdict is stored, and the drawing with it; of a file, each anomaly of \
                 `tribunal check {target} --json` has it as details.{kind}"
            )));
        }
        let verdict = check::find_run(&self.store, target)?.verdict()?.ok_or_else(|| {
            usage(format!("{target} has no verdict yet; tribunal check {target} judges it"))
        })?;
        let drawing = |anomaly: &Anomaly| anomaly.details.get(kind)?.as_str().map(str::to_owned);
        let drawings: Vec<Option<String>> = verdict.anomalies.iter().map(drawing).collect();
        let drawn = match self.anomaly {
            None => drawings.iter().flatten().next(),
            Some(number) => drawings.get(number as usize - 1).and_then(Option::as_ref),
        };
        let drawn = drawn.ok_or_else(|| {
            let numbers = (1..).zip(&drawings).filter(|(_, drawing)| drawing.is_some());
            let numbers: Vec<String> = numbers.map(|(number, _)| number.to_string()).collect();
            usage(match numbers.is_empty() {
                true => {
                    format!("{target} has no anomaly that is drawn; cycles of transactions are")
                }
                false => {
                    format!("of {target}, only these anomalies are drawn: {}", numbers.join(", "))
                }
            })
        })?;
        self.give(|to| writeln!(to, "{}", drawn.trim_end()))
    }

    fn write(&self, history: &History, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        match self.format {
            Format::Jsonl => {
                history.events().try_for_each(|event| jsonl::write(&mut to, &event.to_event()))?;
            }
            Format::Arrow => history.write_arrow(&mut to)?,
            Format::Edn => edn::write(history, &mut to).map_err(io::Error::other)?,
            Format::Dot | Format::Svg => unreachable!("a drawing is of a verdict"),
        }
        to.flush()
    }
}

/// What the user asked for and is not to be had.
fn usage(sentence: String) -> anyhow::Error {
    anyhow!(sentence).context(Exit::Usage)
}
