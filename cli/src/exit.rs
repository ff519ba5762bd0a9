//! The exit codes, one meaning each.

use std::process::ExitCode;

use tribunal_checkers::Validity;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All promises were kept.
    Valid = 0,
    /// At least one was broken.
    Invalid = 1,
    /// Not known.
    Unknown = 2,
    /// Set-up, node or harness error: nothing is said about the database.
    Harness = 3,
    /// Nothing was tested.
    Nothing = 4,
    /// A canary passed: the harness is blind.
    Canary = 5,
    /// Bad usage, or a bad file.
    Usage = 64,
    /// Interrupted before there was a verdict.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl From<Validity> for Exit {
    fn from(validity: Validity) -> Self {
        match validity {
            Validity::Valid => Exit::Valid,
            Validity::Unknown => Exit::Unknown,
            Validity::Invalid => Exit::Invalid,
        }
    }
}

/// As the context of an error it chooses the exit code:
/// `anyhow!("…").context(Exit::Usage)` reads "bad usage: …".
impl std::fmt::Display for Exit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Exit::Valid => "valid",
            Exit::Invalid => "invalid",
            Exit::Unknown => "unknown",
            Exit::Harness => "error",
            Exit::Nothing => "nothing was tested",
            Exit::Canary => "a canary passed",
            Exit::Usage => "usage",
            Exit::Interrupted => "interrupted",
        })
    }
}
