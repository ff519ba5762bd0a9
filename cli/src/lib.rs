//! The `tribunal` command as a library: arguments in, exit code out.
//!
//! One file a command in [`commands`]. Nothing here decides anything about
//! histories or clusters; it wires the floors below together and speaks to the
//! user.

pub mod commands;
mod evidence;
mod exit;
mod hosts;
mod interrupt;
mod plan;
mod progress;
mod suite;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

pub use exit::Exit;

const AFTER: &str = "\
Exit codes: 0 valid, 1 invalid, 2 unknown, 3 set-up or node error, 4 nothing was tested,
5 a canary passed, 64 bad usage or bad file, 130 interrupted before there was a verdict.";

/// Puts distributed databases on trial.
#[derive(Parser)]
#[command(name = "tribunal", version, about, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
}

/// Whoever read our output has gone, as `head` does: no reason for a stack trace. The code is a shell's
/// for SIGPIPE, which itself must stay ignored: a client program that dies must not end a run.
fn end_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(141);
        }
        usual(panic);
    }));
}

/// Runs the command that the process' arguments name.
pub fn main() -> ExitCode {
    end_when_nobody_reads();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // clap exits with 2 on bad usage, which is our "unknown".
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    match arguments.command.run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("tribunal: {}", sentence(&error));
            error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Harness).into()
        }
    }
}

/// What `tribunal run` is told by these words, the first of which is `run`.
fn told_to_run(words: &[String]) -> Option<commands::run::Run> {
    let words = std::iter::once("tribunal").chain(words.iter().map(String::as_str));
    match Arguments::try_parse_from(words).ok()?.command {
        commands::Command::Run(run) => Some(*run),
        _ => None,
    }
}

/// What is wrong, from the outside in. The exit code that travels with an error
/// is its outermost context, and is not for reading; nor is a cause that its
/// effect has told already.
fn sentence(error: &anyhow::Error) -> String {
    let words = usize::from(error.is::<Exit>());
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().skip(words).map(ToString::to_string) {
        if !said.last().is_some_and(|effect| effect.ends_with(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}
