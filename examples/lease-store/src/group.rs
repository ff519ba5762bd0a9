//! The members of the cluster, as a candidate or a leader among them asks them:
//! itself first, by the same rules as the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use substrate::{Link, Member, Seat, gather, majority};

use crate::PORT;
use crate::bug::Bug;
use crate::message::{Entry, PeerAnswer, PeerRequest, State, Term};
use crate::replica::Replica;

/// How long a peer may take.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// All members.
pub struct Group {
    /// What this node is guilty of.
    pub bug: Bug,
    /// This node.
    pub own: Member,
    /// This node's data.
    pub replica: Arc<Replica>,
    others: Vec<Arc<Link<PeerRequest, PeerAnswer>>>,
    members: Vec<Member>,
    /// The highest term that any member has named when it refused something.
    highest: AtomicU64,
}

/// One member, this node or another.
#[derive(Clone)]
enum Voice {
    Own(Arc<Replica>),
    Other(Arc<Link<PeerRequest, PeerAnswer>>),
}

impl Voice {
    async fn ask(&self, request: PeerRequest) -> Option<PeerAnswer> {
        match self {
            Voice::Own(replica) => Some(replica.answer(request).await),
            Voice::Other(link) => link.ask(request).await.ok(),
        }
    }
}

impl Group {
    /// The group of the members, of which the one on `seat` is this node.
    pub fn new(bug: Bug, seat: &Seat, replica: Arc<Replica>) -> anyhow::Result<Self> {
        let (members, own) = (seat.peers.clone(), seat.peers[seat.place()?].clone());
        let links = seat.others().map(|peer| Link::new(seat.peer_address(peer, PORT), PATIENCE));
        let others = links.map(Arc::new).collect();
        Ok(Self { bug, own, replica, others, members, highest: AtomicU64::new(0) })
    }

    /// The member of that name.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The highest term that somebody refused this node for.
    pub fn highest(&self) -> Term {
        self.highest.load(Ordering::SeqCst)
    }

    /// What those have who grant their vote; `None` when they are no majority.
    pub async fn votes(self: &Arc<Self>, term: Term, binds: bool) -> Option<Vec<State>> {
        let candidate = self.own.id.clone();
        let request = PeerRequest::Vote { term, candidate, binds };
        let asked = self.voices().map(|voice| {
            let (group, request) = (self.clone(), request.clone());
            async move {
                match group.heed(voice.ask(request).await?) {
                    PeerAnswer::Granted(state) => Some(state),
                    _ => None,
                }
            }
        });
        self.majority(gather(asked, self.enough()).await)
    }

    /// Whether a majority keeps `state`, whose last changes are `entries`, and
    /// has extended the lease. It also confirms the term: whoever keeps it has
    /// promised no higher one until then.
    pub async fn keeps(self: &Arc<Self>, state: Arc<State>, entries: Vec<Entry>) -> bool {
        let leader = self.own.id.clone();
        let after = state.seq - entries.len() as u64;
        let entries = Arc::new(entries);
        let asked = self.voices().map(|voice| {
            let (group, state) = (self.clone(), state.clone());
            let install = PeerRequest::Install { leader: leader.clone(), state: state.clone() };
            let (leader, entries) = (leader.clone(), entries.clone());
            async move {
                let append = PeerRequest::Append { term: state.term, leader, after, entries };
                let mut answer = voice.ask(append).await?;
                if answer == PeerAnswer::Behind {
                    answer = voice.ask(install).await?;
                }
                (group.heed(answer) == PeerAnswer::Kept).then_some(())
            }
        });
        self.majority(gather(asked, self.enough()).await).is_some()
    }

    fn voices(&self) -> impl Iterator<Item = Voice> {
        let own = Voice::Own(self.replica.clone());
        std::iter::once(own).chain(self.others.iter().cloned().map(Voice::Other))
    }

    fn enough(&self) -> usize {
        majority(self.members.len())
    }

    fn majority<T>(&self, answers: Vec<T>) -> Option<Vec<T>> {
        (answers.len() >= self.enough()).then_some(answers)
    }

    fn heed(&self, answer: PeerAnswer) -> PeerAnswer {
        if let PeerAnswer::Refused { promised } = answer {
            self.highest.fetch_max(promised, Ordering::SeqCst);
        }
        answer
    }
}
