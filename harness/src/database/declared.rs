//! A database as a test file declares it: shell commands, run over SSH.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tribunal_history::Name;

use super::membership::{Membership, Start, Versions};
use super::scripts::{GRACE, PID_FILE, end_left_behind, end_session, quote, start_session};
use super::{Daemon, Database, DatabaseError};
use crate::cluster::{Node, Session, SessionError};
use crate::template::{TemplateError, Templates};
use crate::test_file::DatabaseTable;

/// The file on the node that takes whatever the database prints.
pub const OUTPUT: &str = "/var/log/tribunal-db.log";
const POLL: Duration = Duration::from_millis(50);
/// How long a `stop` of the test file may take, where the database does not take longer to be ready: as long
/// as any other of the database's commands during a run.
const STOP: Duration = Duration::from_secs(30);
/// How long it may take to end a session: twice its grace, and as much longer as a node is busy.
const END: Duration = Duration::from_secs(30);

/// A database under test, all its commands rendered for every node.
pub struct Declared {
    nodes: BTreeMap<Name, Commands>,
    ready_timeout: Duration,
    ready_port: Option<u16>,
    versions: Versions,
}

/// The commands of one node.
struct Commands {
    files: Vec<(PathBuf, String)>,
    install: Option<String>,
    start: Start,
    ready: Option<String>,
    stop: Option<String>,
    data_dir: Option<String>,
    logs: Vec<String>,
    primaries: Option<String>,
    membership: Option<Membership>,
    /// What installs the other version, and starts it.
    upgrade: Option<(Option<String>, Start)>,
}

impl Declared {
    /// Renders `table` for each of `nodes`; relative files are looked up in `dir`.
    pub fn new(
        table: &DatabaseTable,
        nodes: &[Node],
        templates: &Templates,
        dir: &Path,
    ) -> Result<Self, TemplateError> {
        let commands = |node: &Node| {
            let commands = Commands::render(table, node, nodes, templates, dir)?;
            Ok((node.id.clone(), commands))
        };
        Ok(Self {
            nodes: nodes.iter().map(commands).collect::<Result<_, TemplateError>>()?,
            ready_timeout: table.ready_timeout,
            ready_port: table.ports.get("client").or(table.ports.values().next()).copied(),
            versions: Versions::default(),
        })
    }

    /// The log files of a node, its standard output first.
    pub fn logs(&self, node: &Node) -> Vec<String> {
        let mut logs = vec![OUTPUT.to_owned()];
        logs.extend(self.commands(node).logs.iter().cloned());
        logs
    }

    /// Whether the files that are to be copied to the nodes are there.
    pub fn check_files(&self) -> Result<(), DatabaseError> {
        let mut files = self.nodes.values().flat_map(|commands| &commands.files);
        let missing = files.find(|(from, _)| !from.is_file());
        missing.map_or(Ok(()), |(from, _)| {
            let why = format!("[db] files: there is no file {}", from.display());
            Err(DatabaseError::Setup(why))
        })
    }

    /// Ends the database of a run that was broken off, if it was started on this node: as a run does, but by
    /// what the node has written down. Its data stay.
    pub async fn end_left_behind(&self, session: &Session) -> Result<(), DatabaseError> {
        if session.run(&format!("[ -s {PID_FILE} ]")).await?.code != Some(0) {
            return Ok(());
        }
        if let Some(script) = &self.commands(session.node()).stop {
            // Whatever comes of it, and if nothing does: who is left is ended all the same.
            let _ = tokio::time::timeout(GRACE, session.run(script)).await;
        }
        session.run_ok(&end_left_behind()).await?;
        Ok(())
    }

    fn commands(&self, node: &Node) -> &Commands {
        &self.nodes[&node.id]
    }

    fn membership(&self, session: &Session) -> Result<&Membership, DatabaseError> {
        let there = self.commands(session.node()).membership.as_ref();
        there.ok_or_else(DatabaseError::no_membership)
    }

    /// One attempt: does it serve yet?
    async fn is_ready(&self, session: &Session) -> Result<bool, DatabaseError> {
        let node = session.node();
        match (&self.commands(node).ready, self.ready_port) {
            (Some(script), _) => Ok(session.run(script).await?.code == Some(0)),
            (None, Some(port)) => {
                let address = SocketAddr::new(node.ip, port);
                let connect = tokio::net::TcpStream::connect(address);
                Ok(matches!(tokio::time::timeout(GRACE, connect).await, Ok(Ok(_))))
            }
            (None, None) => Ok(true),
        }
    }

    /// The test file's own command, where it has one.
    async fn tell_to_stop(&self, session: &Session) -> Result<(), DatabaseError> {
        match &self.commands(session.node()).stop {
            Some(script) => {
                let limit = self.ready_timeout.max(STOP);
                within(limit, session, "its `stop`", session.run_ok(script)).await.map(drop)
            }
            None => Ok(()),
        }
    }

    async fn not_ready(&self, session: &Session, why: &str) -> DatabaseError {
        let tail = session.run(&format!("tail -n 8 {OUTPUT}")).await;
        let log = tail.map(|output| output.stdout).unwrap_or_default();
        let log = if log.trim().is_empty() { "(it printed nothing)".to_owned() } else { log };
        DatabaseError::Setup(format!(
            "node {}: the database {why}; the end of its log:\n{}",
            session.node().id,
            log.trim_end().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
        ))
    }
}

impl Commands {
    fn render(
        table: &DatabaseTable,
        node: &Node,
        nodes: &[Node],
        templates: &Templates,
        dir: &Path,
    ) -> Result<Self, TemplateError> {
        let text = |template: &String| templates.render_for(node, template);
        let option = |template: &Option<String>| template.as_ref().map(text).transpose();
        let files =
            table.files.iter().map(|file| Ok((dir.join(text(&file.from)?), text(&file.to)?)));
        let membership = table.membership.as_ref();
        let membership = membership.map(|it| Membership::render(it, node, nodes, templates));
        let upgrade = table.upgrade.as_ref();
        let upgrade = upgrade
            .map(|it| Ok((option(&it.install)?, Start::render(&it.start, node, templates)?)));
        Ok(Self {
            files: files.collect::<Result<_, TemplateError>>()?,
            install: option(&table.install)?,
            start: Start::render(&table.start, node, templates)?,
            ready: option(&table.ready)?,
            stop: option(&table.stop)?,
            data_dir: option(&table.data_dir)?,
            logs: table.logs.iter().map(text).collect::<Result<_, _>>()?,
            primaries: option(&table.primaries)?,
            membership: membership.transpose()?,
            upgrade: upgrade.transpose()?,
        })
    }
}

#[async_trait]
impl Database for Declared {
    async fn install(&self, session: &Session) -> Result<(), DatabaseError> {
        let commands = self.commands(session.node());
        for (from, to) in &commands.files {
            session.upload_file(from, to, 0o755).await?;
        }
        if let Some(script) = &commands.install {
            session.run_ok(script).await?;
        }
        Ok(())
    }

    async fn start(&self, session: &Session) -> Result<Daemon, DatabaseError> {
        let commands = self.commands(session.node());
        let version = self.versions.of(&session.node().id);
        let upgraded = commands.upgrade.as_ref().filter(|_| version.upgraded);
        let start = upgraded.map_or(&commands.start, |(_, start)| start);
        let output = session.run(&start_session(start.of(version), PID_FILE, OUTPUT)).await?;
        if output.code != Some(0) {
            let (node, why) = (&session.node().id, output.stderr.trim().replace('\n', "; "));
            return Err(DatabaseError::Setup(format!(
                "node {node}: the database cannot be started: {why}"
            )));
        }
        let printed = output.stdout;
        let pid = printed.split_whitespace().next().and_then(|pid| pid.parse().ok());
        let pid = pid.ok_or_else(|| {
            DatabaseError::Setup(format!(
                "node {}: no process id in {printed:?}",
                session.node().id
            ))
        })?;
        Ok(Daemon { node: session.node().id.clone(), pid })
    }

    async fn ready(&self, session: &Session, daemon: &Daemon) -> Result<(), DatabaseError> {
        let deadline = Instant::now() + self.ready_timeout;
        loop {
            match tokio::time::timeout_at(deadline, self.is_ready(session)).await {
                Ok(ready) => {
                    if ready? {
                        return Ok(());
                    }
                }
                Err(_) => {
                    let why = format!("was not ready within {:?}", self.ready_timeout);
                    return Err(self.not_ready(session, &why).await);
                }
            }
            if session.run(&format!("kill -0 {}", daemon.pid)).await?.code != Some(0) {
                return Err(self.not_ready(session, "does not start").await);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Whatever became of the test file's own command, which fails where the database has died: nothing of
    /// it goes on.
    async fn stop(&self, session: &Session, daemon: &Daemon) -> Result<(), DatabaseError> {
        let told = self.tell_to_stop(session).await;
        let end = end_session(&daemon.pid.to_string(), GRACE);
        let end = format!("{end}\nrm -f {PID_FILE}");
        let ended = within(END, session, "ending the database", session.run_ok(&end)).await;
        match (told, ended) {
            (Err(told), Err(ended)) => Err(DatabaseError::Setup(format!("{told}; {ended}"))),
            (told, ended) => told.and(ended.map(drop)),
        }
    }

    async fn wipe(&self, session: &Session) -> Result<(), DatabaseError> {
        session.run_ok(&end_left_behind()).await?;
        session.run_ok(&format!("rm -f {OUTPUT}")).await?;
        self.forget(session).await
    }

    async fn forget(&self, session: &Session) -> Result<(), DatabaseError> {
        if let Some(path) = &self.commands(session.node()).data_dir {
            if !Path::new(path).is_absolute() || Path::new(path).components().count() < 3 {
                return Err(DatabaseError::Setup(format!(
                    "data_dir {path:?} is not deleted: give an absolute path at least two folders deep"
                )));
            }
            // A folder that a disk of ours is mounted on is emptied, and stays.
            let path = quote(path);
            let script = format!("rm -rf {path} 2>/dev/null || find {path} -mindepth 1 -delete");
            session.run_ok(&script).await?;
        }
        Ok(())
    }

    async fn members(&self, session: &Session) -> Result<Vec<Name>, DatabaseError> {
        let printed = session.run_ok(&self.membership(session)?.status).await?;
        let mut members: Vec<Name> = printed.split_whitespace().map(Name::from).collect();
        members.sort();
        Ok(members)
    }

    async fn leave(&self, session: &Session, member: &Name) -> Result<(), DatabaseError> {
        let script = self.membership(session)?.leave(member);
        session.run_ok(script.ok_or_else(DatabaseError::no_membership)?).await?;
        Ok(())
    }

    async fn join(&self, session: &Session, member: &Name) -> Result<(), DatabaseError> {
        let script = self.membership(session)?.join(member);
        let script = script.ok_or_else(DatabaseError::no_membership)?;
        // Before it is known to have worked: whoever was told to join has nothing on its disk, and is never
        // again one that was there in the beginning.
        self.versions.change(member, |version| version.joined = true);
        session.run_ok(script).await?;
        Ok(())
    }

    async fn upgrade(&self, session: &Session) -> Result<(), DatabaseError> {
        let none = || DatabaseError::Setup("the test file has no [db.upgrade]".to_owned());
        let (install, _) = self.commands(session.node()).upgrade.as_ref().ok_or_else(none)?;
        if let Some(script) = install {
            session.run_ok(script).await?;
        }
        self.versions.change(&session.node().id, |version| version.upgraded = true);
        Ok(())
    }

    async fn primaries(&self, sessions: &[Arc<Session>]) -> Result<Vec<Name>, DatabaseError> {
        let mut asked = tokio::task::JoinSet::new();
        for session in sessions {
            let Some(script) = self.commands(session.node()).primaries.clone() else { continue };
            let session = session.clone();
            asked.spawn(async move {
                let answer = tokio::time::timeout(GRACE, session.run(&script)).await;
                let yes = matches!(answer, Ok(Ok(output)) if output.code == Some(0));
                yes.then(|| session.node().id.clone())
            });
        }
        let mut primaries: Vec<Name> = asked.join_all().await.into_iter().flatten().collect();
        primaries.sort();
        Ok(primaries)
    }

    fn data_dir(&self, node: &Name) -> Option<String> {
        self.nodes.get(node)?.data_dir.clone()
    }
}

/// What a node says in time, or that it did not: whoever hangs must not hold up the run.
async fn within<T>(
    limit: Duration,
    session: &Session,
    what: &str,
    work: impl Future<Output = Result<T, SessionError>>,
) -> Result<T, DatabaseError> {
    let done = tokio::time::timeout(limit, work).await;
    let late = |_| {
        let (node, limit) = (&session.node().id, limit.as_secs());
        DatabaseError::Setup(format!("node {node}: {what} took longer than {limit} s"))
    };
    Ok(done.map_err(late)??)
}
