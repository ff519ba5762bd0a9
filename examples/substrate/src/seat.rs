//! A node's seat in its cluster: what `serve` is told of it on the command line. What a node does
//! there is its database's own affair.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use tokio::net::TcpListener;

use crate::Member;

/// Who the node is, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct Seat {
    /// This node's name among the peers.
    #[arg(long)]
    pub node: String,
    /// All members, this one included, in the same order on each: n1=10.0.0.1,n2=10.0.0.2,…
    #[arg(long, value_delimiter = ',', required = true)]
    pub peers: Vec<Member>,
    /// Where its data are kept.
    #[arg(long)]
    pub data_dir: PathBuf,
    /// The port of clients, on every member; by default one of the database's own.
    #[arg(long)]
    client_port: Option<u16>,
    /// The port of peers, on every member; by default the one after that.
    #[arg(long)]
    peer_port: Option<u16>,
}

/// Where a node is spoken to.
#[derive(Debug)]
pub struct Listeners {
    /// By the other members.
    pub peers: TcpListener,
    /// By clients.
    pub clients: TcpListener,
}

impl Seat {
    /// The place of this node among the members.
    ///
    /// # Errors
    /// Where it is not one of them, or more than one.
    pub fn place(&self) -> anyhow::Result<usize> {
        let mut places = (0..).zip(&self.peers).filter(|(_, member)| member.id == self.node);
        match (places.next(), places.next()) {
            (Some((place, _)), None) => Ok(place),
            _ => anyhow::bail!("--peers must name {} once", self.node),
        }
    }

    /// The other members.
    pub fn others(&self) -> impl Iterator<Item = &Member> {
        self.peers.iter().filter(|member| member.id != self.node)
    }

    /// Where `member` is spoken to by its peers. `port` is the database's own port of clients.
    pub fn peer_address(&self, member: &Member, port: u16) -> String {
        format!("{}:{}", member.ip, self.peer_port.unwrap_or(port + 1))
    }

    /// Opens both ports of this node. `port` is the database's own port of clients.
    ///
    /// # Errors
    /// Where a port is taken, or the address is not this machine's.
    pub async fn listen(&self, port: u16) -> anyhow::Result<Listeners> {
        let own = &self.peers[self.place()?];
        let clients = self.client_port.unwrap_or(port);
        let address = self.peer_address(own, port);
        ensure!(address != format!("{}:{clients}", own.ip), "clients and peers share a port");
        Ok(Listeners {
            peers: bind(&address).await?,
            clients: bind(&format!("{}:{clients}", own.ip)).await?,
        })
    }
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}
