//! The programs of a node by which rules are set and read: started, told what to do, and heard.

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// A program of another package, which the node may not have.
pub(super) struct Tool {
    /// As it is called.
    pub program: &'static str,
    /// Where it comes from.
    pub package: &'static str,
    /// What cannot be done without it.
    pub serves: &'static str,
}

impl Tool {
    /// Runs it with `script` on its standard input: what it said.
    pub fn call(&self, arguments: &[&str], script: &str) -> io::Result<String> {
        let Self { program, package, serves } = self;
        // An SSH command's PATH may lack the folders of the administrator.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                io::ErrorKind::NotFound,
                format!("`{program}` is not installed here; {serves} need the package {package}"),
            ),
            _ => error,
        })?;
        // One that ends early breaks the pipe: what it said is the better error.
        let written = child.stdin.take().expect("stdin is piped").write_all(script.as_bytes());
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("no reason given").trim();
            return Err(io::Error::other(format!("{program}: {said}")));
        }
        written?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(program: &'static str) -> Tool {
        Tool { program, package: "coreutils", serves: "tests" }
    }

    #[test]
    fn it_is_told_what_to_do_and_heard() {
        assert_eq!(tool("cat").call(&["-"], "add rule").unwrap(), "add rule");
        // It ends without reading: what it says is the error, and no broken pipe.
        let script = "rule ".repeat(100_000);
        let refused = tool("cat").call(&["/nowhere/at/all"], &script).unwrap_err().to_string();
        assert_eq!(refused, "cat: cat: /nowhere/at/all: No such file or directory");
    }

    #[test]
    fn one_that_is_not_there_is_named_with_its_package() {
        let missing = tool("no-such-program").call(&[], "").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert_eq!(
            missing.to_string(),
            "`no-such-program` is not installed here; tests need the package coreutils"
        );
    }
}
