//! The field that faults act on: the nodes' agents, the daemons, the database.
//!
//! An agent that dies is started again at once, so that its successor undoes
//! what it held. Who held a fault then can no longer say that it acted
//! throughout; [`Field::lives`] tells.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tribunal_harness::clocks::{Clocks, Shown};
use tribunal_harness::cluster::local::wire::{self, Tallied};
use tribunal_harness::cluster::{Node, Session};
use tribunal_harness::database::{Daemon, Daemons, Database, DatabaseError};
use tribunal_history::Name;

use crate::addresses::told_apart;
use crate::agent::kernel;
use crate::agent::protocol::{Reply, Request};
use crate::background::{Background, Told};
use crate::faults::Aim;
use crate::launch::Launch;
use crate::link::{Greeting, Link, LinkError};

/// Between two tries to start a dead agent's successor.
const RETRY: Duration = Duration::from_secs(1);

/// How long a request waits for a successor.
const SUCCESSION: Duration = Duration::from_secs(30);

/// How long a command of the database may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything a fault can reach. Cheap to clone: all clones are of one field.
#[derive(Clone)]
pub struct Field(Arc<Parts>);

struct Parts {
    hosts: BTreeMap<Name, Host>,
    daemons: Arc<Daemons>,
    sessions: Vec<Arc<Session>>,
    database: Arc<dyn Database>,
    /// The line to the wire between the nodes, if it is one of ours.
    wire: Option<wire::Line>,
    background: Background,
}

impl Field {
    /// Starts an agent on every node. `launches` are the nodes and how agents are
    /// started there.
    pub async fn open(
        launches: Vec<(Node, Arc<dyn Launch>)>,
        daemons: Arc<Daemons>,
        sessions: Vec<Arc<Session>>,
        database: Arc<dyn Database>,
        wire: Option<wire::Line>,
    ) -> Result<(Self, BTreeMap<Name, Greeting>), String> {
        let mut starting = JoinSet::new();
        for (node, launch) in launches {
            starting.spawn(async move {
                let (link, greeting) =
                    launch.launch().await.map_err(|why| format!("node {}: {why}", node.id))?;
                Ok::<_, String>((node.id.clone(), Host::new(node, launch, link), greeting))
            });
        }
        let (mut hosts, mut greetings) = (BTreeMap::new(), BTreeMap::new());
        for started in starting.join_all().await {
            let (name, mut host, greeting) = started?;
            host.boot_id.clone_from(&greeting.boot_id);
            greetings.insert(name.clone(), greeting);
            hosts.insert(name, host);
        }
        let all = |(name, host): (&Name, &Host)| {
            let told: &[IpAddr] = greetings.get(name).map_or(&[], |it: &Greeting| &it.addresses);
            (name.clone(), [&[host.address], told].concat())
        };
        for (name, addresses) in told_apart(hosts.iter().map(all).collect()) {
            hosts.entry(name).and_modify(|host: &mut Host| host.addresses = addresses);
        }
        let background = Background::default();
        let parts = Parts { hosts, daemons, sessions, database, wire, background };
        Ok((Self(Arc::new(parts)), greetings))
    }

    /// Every node with an agent.
    pub fn nodes(&self) -> impl Iterator<Item = &Name> {
        self.0.hosts.keys()
    }

    /// A node's address, as others reach it.
    pub fn address(&self, node: &Name) -> Result<IpAddr, String> {
        self.host(node).map(|host| host.address)
    }

    /// The controller's boot id, for a node that certainly has a kernel, and with it a clock, of
    /// its own; for any other node why not.
    pub fn own_kernel(&self, node: &Name) -> Result<String, String> {
        let boot_id = |host: &Host| host.boot_id.clone();
        let controller = kernel::boot_id().map_err(|error| error.to_string())?;
        let own = boot_id(self.host(node)?)
            .ok_or_else(|| format!("{node}: it is not known whether it has a kernel of its own"))?;
        if own == controller {
            return Err(format!("{node} shares the controller's kernel, whose clock is never set"));
        }
        let shares =
            |(name, host): &(&Name, &Host)| *name != node && boot_id(host) == Some(own.clone());
        match self.0.hosts.iter().find(shares) {
            Some((other, _)) => Err(format!("{node} and {other} share one kernel, and one clock")),
            None => Ok(controller),
        }
    }

    /// Whether links are harmed by the wire between the nodes, and not by the nodes themselves.
    pub fn has_wire(&self) -> bool {
        self.0.wire.is_some()
    }

    /// The addresses that a node's packets can be told by.
    pub fn addresses(&self, node: &Name) -> Result<&[IpAddr], String> {
        match &*self.host(node)?.addresses {
            [] => Err(format!(
                "{node} has no address of its own, so that its packets could be told from others'"
            )),
            addresses => Ok(addresses),
        }
    }

    /// The process id of the database's daemon on a node.
    pub fn daemon(&self, node: &Name) -> Result<u32, String> {
        let daemon = self.0.daemons.get(node);
        daemon
            .map(|daemon| daemon.pid)
            .ok_or_else(|| format!("{node}: no database was started there"))
    }

    /// The folder of the database's data on a node.
    pub fn data_dir(&self, node: &Name) -> Result<String, String> {
        let known = self.0.database.data_dir(node);
        known.ok_or_else(|| format!("{node}: nobody said where the database's data are"))
    }

    /// The nodes that hold themselves primary, now.
    pub async fn primaries(&self) -> Result<Vec<Name>, String> {
        self.0.database.primaries(&self.0.sessions).await.map_err(|error| error.to_string())
    }

    /// How often a node's agent has been started. Where the count moved while a
    /// fault was held, its agent died and the fault was undone early.
    pub fn lives(&self, node: &Name) -> u64 {
        self.0.hosts.get(node).map_or(0, |host| host.line.borrow().lives)
    }

    /// Asks many at once; replies come back by node.
    pub async fn ask_all(
        &self,
        requests: impl IntoIterator<Item = (Name, Request)>,
    ) -> Vec<(Name, Result<Reply, String>)> {
        let mut asking = JoinSet::new();
        for (node, request) in requests {
            let line = self.host(&node).map(|host| host.line.clone());
            asking.spawn(async move {
                let reply = match line {
                    Ok(line) => {
                        ask(line, request).await.map_err(|error| format!("{node}: {error}"))
                    }
                    Err(error) => Err(error),
                };
                (node, reply)
            });
        }
        let mut replies = asking.join_all().await;
        replies.sort_by(|(one, _), (other, _)| one.cmp(other));
        replies
    }

    /// Puts an aim's rules on its links.
    pub async fn impose(&self, id: u64, aim: &Aim) -> Result<(), String> {
        let (seed, links) = (aim.seed, aim.links.clone());
        match links.is_empty() {
            true => Ok(()),
            false => {
                self.ask_wire(wire::Request::Impose { fault: id, seed, links }).await.map(drop)
            }
        }
    }

    /// What the rules of an aim did to its links.
    pub async fn tallies(&self, id: u64, aim: &Aim) -> Result<Vec<Tallied>, String> {
        self.seen(aim, wire::Request::Look { fault: id }).await
    }

    /// Takes them away.
    pub async fn lift(&self, id: u64, aim: &Aim) -> Result<Vec<Tallied>, String> {
        self.seen(aim, wire::Request::Lift { fault: id }).await
    }

    async fn seen(&self, aim: &Aim, request: wire::Request) -> Result<Vec<Tallied>, String> {
        if aim.links.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask_wire(request).await? {
            wire::Reply::Seen { links } => Ok(links),
            other => Err(format!("the wire says {other:?}")),
        }
    }

    async fn ask_wire(&self, request: wire::Request) -> Result<wire::Reply, String> {
        let none =
            "there is no wire of ours between these nodes: links can be harmed on local nodes";
        self.0.wire.as_ref().ok_or(none)?.ask(request).await
    }

    /// Starts the database on a node; the process that leads its session. What it takes until it serves is
    /// waited for by [`ready`](Self::ready).
    pub async fn start(&self, node: &Name) -> Result<u32, String> {
        let (database, session) = (self.0.database.clone(), self.session(node)?.clone());
        let start = async move { database.start(&session).await };
        noted(PATIENCE, start, self.0.daemons.clone()).await
    }

    /// Ends the database on a node in good order. How long that may take, the database knows.
    pub async fn stop(&self, node: &Name) -> Result<(), String> {
        let daemon = Daemon { node: node.clone(), pid: self.daemon(node)? };
        let stopped = self.0.database.stop(self.session(node)?, &daemon).await;
        stopped.map_err(|error| error.to_string())
    }

    /// The members of the database, by the word of a node.
    pub async fn members(&self, by: &Name) -> Result<Vec<Name>, String> {
        self.of_database(self.0.database.members(self.session(by)?)).await
    }

    /// Has a node take a member out.
    pub async fn leave(&self, by: &Name, member: &Name) -> Result<(), String> {
        self.of_database(self.0.database.leave(self.session(by)?, member)).await
    }

    /// Has a node tell the cluster of a member that joins.
    pub async fn join(&self, by: &Name, member: &Name) -> Result<(), String> {
        self.of_database(self.0.database.join(self.session(by)?, member)).await
    }

    /// Deletes what the database has stored on a node.
    pub async fn forget(&self, node: &Name) -> Result<(), String> {
        self.of_database(self.0.database.forget(self.session(node)?)).await
    }

    /// Puts the other version on a node.
    pub async fn upgrade(&self, node: &Name) -> Result<(), String> {
        self.of_database(self.0.database.upgrade(self.session(node)?)).await
    }

    /// What the database says, within a time: a node that hangs must not hold up the nemesis.
    async fn of_database<T>(
        &self,
        told: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, String> {
        let told = timeout(PATIENCE, told).await;
        let told = told.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?;
        told.map_err(|error| error.to_string())
    }

    /// Gives up the database on these nodes: nobody waits for it any more, nobody ends it.
    pub fn bury(&self, nodes: &[Name]) {
        nodes.iter().for_each(|node| self.0.daemons.remove(node));
    }

    /// Waits until the database serves on a node.
    pub async fn ready(&self, node: &Name) -> Result<(), String> {
        let daemon = Daemon { node: node.clone(), pid: self.daemon(node)? };
        let ready = self.0.database.ready(self.session(node)?, &daemon).await;
        ready.map_err(|error| error.to_string())
    }

    /// Whether the process that leads the database's session on a node is no more.
    pub async fn has_ended(&self, node: &Name) -> Result<bool, String> {
        // A zombie has ended, too: only its parent has not heard of it yet. But not where its other threads
        // go on.
        let script = format!(
            "read -r stat 2>/dev/null </proc/{}/stat || exit 1; set -- ${{stat##*) }}; \
             case $1${{18}} in Z[01]|X*) exit 1;; esac",
            self.daemon(node)?
        );
        let output = self.session(node)?.run(&script).await.map_err(|error| error.to_string())?;
        Ok(output.code != Some(0))
    }

    fn session(&self, node: &Name) -> Result<&Arc<Session>, String> {
        let session = self.0.sessions.iter().find(|session| session.node().id == *node);
        session.ok_or_else(|| format!("{node}: there is no session"))
    }

    /// Does something for each node at once; the first thing that goes wrong is the error.
    pub async fn on_each<T, F>(
        &self,
        nodes: &[Name],
        work: impl Fn(Field, Name) -> F,
    ) -> Result<Vec<(Name, T)>, String>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, String>> + Send + 'static,
    {
        let mut working = JoinSet::new();
        for node in nodes {
            let (node, work) = (node.clone(), work(self.clone(), node.clone()));
            working.spawn(async move { (node, work.await) });
        }
        let mut done = working.join_all().await;
        done.sort_by(|(one, _), (other, _)| one.cmp(other));
        done.into_iter().map(|(node, done)| Ok((node, done?))).collect()
    }

    /// Begins some work for a fault.
    pub fn background<F>(&self, name: String, work: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = Told> + Send + 'static,
    {
        self.0.background.begin(name, work);
    }

    /// Ends it, and hears what came of it.
    pub async fn end_background(&self, name: &str) -> Option<Told> {
        self.0.background.end(name).await
    }

    fn host(&self, node: &Name) -> Result<&Host, String> {
        self.0.hosts.get(node).ok_or_else(|| format!("there is no node {node}"))
    }
}

#[async_trait]
impl Clocks for Field {
    fn nodes(&self) -> Vec<Name> {
        self.0.hosts.keys().cloned().collect()
    }

    async fn ask(&self, node: &Name) -> Result<Shown, String> {
        let pid = self.0.daemons.get(node).map(|daemon| daemon.pid);
        match ask(self.host(node)?.line.clone(), Request::Clock { pid }).await {
            Ok(Reply::Clock { wall_ns, ahead_ns }) => Ok(Shown { wall_ns, ahead_ns }),
            Ok(other) => Err(format!("{node}: the agent says {other:?}")),
            Err(error) => Err(format!("{node}: {error}")),
        }
    }
}

/// The process id of a daemon that is being started. Who gives up waiting does not give up the daemon: it is
/// noted whenever it is known, so that somebody ends it.
async fn noted(
    patience: Duration,
    start: impl Future<Output = Result<Daemon, DatabaseError>> + Send + 'static,
    daemons: Arc<Daemons>,
) -> Result<u32, String> {
    let starting = tokio::spawn(async move {
        let daemon = start.await.map_err(|error| error.to_string())?;
        let pid = daemon.pid;
        daemons.set(daemon);
        Ok(pid)
    });
    match timeout(patience, starting).await {
        Ok(started) => started.unwrap_or_else(|panic| Err(panic.to_string())),
        Err(_) => Err(format!("no answer within {} s", patience.as_secs())),
    }
}

/// Asks the agent that is there; where it died, an undo goes to its successor.
async fn ask(mut line: watch::Receiver<Line>, request: Request) -> Result<Reply, LinkError> {
    let undo = matches!(request, Request::Heal { .. } | Request::HealAll);
    let link = living(&mut line, 0).await?;
    let lives = line.borrow().lives;
    match link.ask(request.clone()).await {
        Err(LinkError::Gone) if undo => living(&mut line, lives + 1).await?.ask(request).await,
        answer => answer,
    }
}

/// The agent of at least this life, as soon as there is one.
async fn living(line: &mut watch::Receiver<Line>, life: u64) -> Result<Arc<Link>, LinkError> {
    let there = line.wait_for(|line| line.link.is_some() && line.lives >= life);
    let line = timeout(SUCCESSION, there).await.ok().and_then(Result::ok);
    line.and_then(|line| line.link.clone()).ok_or(LinkError::Gone)
}

/// A node with an agent, and whoever starts the next one.
struct Host {
    /// As others reach it.
    address: IpAddr,
    /// Its kernel's.
    boot_id: Option<String>,
    /// All that its packets can be told by.
    addresses: Vec<IpAddr>,
    line: watch::Receiver<Line>,
    keeper: JoinHandle<()>,
}

#[derive(Clone)]
struct Line {
    /// `None` between two agents.
    link: Option<Arc<Link>>,
    lives: u64,
}

impl Host {
    fn new(node: Node, launch: Arc<dyn Launch>, link: Link) -> Self {
        let (sender, line) = watch::channel(Line { link: Some(Arc::new(link)), lives: 1 });
        let keeper = tokio::spawn(keep(node.id, launch, sender));
        Self { address: node.ip, boot_id: None, addresses: vec![node.ip], line, keeper }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Starts a successor whenever the agent is gone.
async fn keep(node: Name, launch: Arc<dyn Launch>, line: watch::Sender<Line>) {
    loop {
        let link = line.borrow().link.clone();
        match link {
            Some(link) => link.gone().await,
            None => sleep(RETRY).await,
        }
        line.send_modify(|line| line.link = None);
        match launch.launch().await {
            Ok((link, greeting)) => {
                tracing::warn!(%node, ?greeting, "the agent died; its successor has taken over");
                line.send_modify(|line| {
                    *line = Line { link: Some(Arc::new(link)), lives: line.lives + 1 };
                });
            }
            Err(why) => tracing::warn!(%node, why, "the agent died and cannot be started again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_daemon_that_starts_late_is_known_all_the_same() {
        let (begun, beginning) = oneshot::channel();
        let (daemons, node) = (Arc::new(Daemons::default()), Name::from("n1"));
        let start = async move { Ok(beginning.await.expect("it begins")) };
        let told = noted(Duration::ZERO, start, daemons.clone()).await;
        assert_eq!(told, Err("no answer within 0 s".to_owned()));
        assert_eq!(daemons.get(&node), None);
        begun.send(Daemon { node: node.clone(), pid: 7 }).expect("somebody waits");
        while daemons.get(&node).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(daemons.get(&node).map(|daemon| daemon.pid), Some(7));
    }
}
