//! `tribunal explain`: what an anomaly of transactions is, with an example.

use anyhow::anyhow;
use clap::Args;
use tribunal_checkers::transactions::{Phenomenon, page};

use crate::Exit;

/// Explains an anomaly of transactions, or all of them.
#[derive(Args)]
pub struct Explain {
    /// Its name, as a verdict has it: `G-single`, `lost-update`; all of them by default.
    anomaly: Option<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<Exit> {
        let Some(name) = self.anomaly else {
            print!("{}", page());
            return Ok(Exit::Valid);
        };
        let phenomenon = Phenomenon::named(&name).ok_or_else(|| {
            let known: Vec<_> = Phenomenon::all().map(Phenomenon::name).collect();
            let known = known.join(", ");
            anyhow!("`{name}` is no anomaly that is explained here; there are {known}")
                .context(Exit::Usage)
        })?;
        print!("{}", phenomenon.explanation());
        Ok(Exit::Valid)
    }
}
