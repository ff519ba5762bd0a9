//! `tribunal export`: a history for other tools.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tribunal_history::{History, edn, jsonl};

use crate::Exit;
use crate::commands::check;

/// Writes a history as JSON lines, as Jepsen's EDN, or in the store's own format.
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
}

impl Export {
    /// Writes it.
    pub fn run(self) -> anyhow::Result<Exit> {
        let history = check::read(&self.target, &self.store)?;
        if !history.has_real_time() && !matches!(self.format, Format::Arrow) {
            bail!(
                "{}: nobody recorded when its calls were made, and only the store format can say so: \
                 export it as arrow",
                self.target
            );
        }
        match &self.output {
            None => self.write(&history, io::stdout().lock()).context(Exit::Harness)?,
            Some(path) => {
                let name = || path.display().to_string();
                let file = std::fs::File::create_new(path).with_context(name)?;
                self.write(&history, file).with_context(name).context(Exit::Harness)?;
            }
        }
        Ok(Exit::Valid)
    }

    fn write(&self, history: &History, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        match self.format {
            Format::Jsonl => {
                history.events().try_for_each(|event| jsonl::write(&mut to, &event.to_event()))?;
            }
            Format::Arrow => history.write_arrow(&mut to)?,
            Format::Edn => edn::write(history, &mut to).map_err(io::Error::other)?,
        }
        to.flush()
    }
}
