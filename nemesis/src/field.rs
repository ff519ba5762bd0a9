//! The field that faults act on: the nodes' agents, the daemons, the database.
//!
//! An agent that dies is started again at once, so that its successor undoes
//! what it held. Who held a fault then can no longer say that it acted
//! throughout; [`Field::lives`] tells.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tribunal_harness::cluster::{Node, Session};
use tribunal_harness::database::{Daemon, Database};
use tribunal_history::Name;

use crate::agent::protocol::{Reply, Request};
use crate::launch::Launch;
use crate::link::{Greeting, Link, LinkError};

/// Between two tries to start a dead agent's successor.
const RETRY: Duration = Duration::from_secs(1);

/// How long a request waits for a successor.
const SUCCESSION: Duration = Duration::from_secs(20);

/// Everything a fault can reach.
pub struct Field {
    hosts: BTreeMap<Name, Host>,
    daemons: BTreeMap<Name, u32>,
    sessions: Vec<Arc<Session>>,
    database: Arc<dyn Database>,
}

impl Field {
    /// Starts an agent on every node. `launches` are the nodes and how agents are
    /// started there.
    pub async fn open(
        launches: Vec<(Node, Arc<dyn Launch>)>,
        daemons: Vec<Daemon>,
        sessions: Vec<Arc<Session>>,
        database: Arc<dyn Database>,
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
            let (name, host, greeting) = started?;
            greetings.insert(name.clone(), greeting);
            hosts.insert(name, host);
        }
        let daemons = daemons.into_iter().map(|daemon| (daemon.node, daemon.pid)).collect();
        Ok((Self { hosts, daemons, sessions, database }, greetings))
    }

    /// Every node with an agent.
    pub fn nodes(&self) -> impl Iterator<Item = &Name> {
        self.hosts.keys()
    }

    /// A node's address.
    pub fn address(&self, node: &Name) -> Result<IpAddr, String> {
        self.host(node).map(|host| host.address)
    }

    /// The process id of the database's daemon on a node.
    pub fn daemon(&self, node: &Name) -> Result<u32, String> {
        let daemon = self.daemons.get(node).copied();
        daemon.ok_or_else(|| format!("{node}: no database was started there"))
    }

    /// The nodes that hold themselves primary, now.
    pub async fn primaries(&self) -> Result<Vec<Name>, String> {
        self.database.primaries(&self.sessions).await.map_err(|error| error.to_string())
    }

    /// How often a node's agent has been started. Where the count moved while a
    /// fault was held, its agent died and the fault was undone early.
    pub fn lives(&self, node: &Name) -> u64 {
        self.hosts.get(node).map_or(0, |host| host.line.borrow().lives)
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

    fn host(&self, node: &Name) -> Result<&Host, String> {
        self.hosts.get(node).ok_or_else(|| format!("there is no node {node}"))
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
    address: IpAddr,
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
        Self { address: node.ip, line, keeper }
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
