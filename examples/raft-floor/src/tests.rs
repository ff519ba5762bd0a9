//! The disk and the machine by themselves: openraft's own suite for storage, what is left after
//! a restart, and what happens once.

use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
use openraft::testing::{StoreBuilder, Suite};
use openraft::{CommittedLeaderId, EntryPayload, RaftLogReader};
use tempfile::TempDir;
use tribunal_client::{Call, Failure, Outcome, Reply};

use crate::database::{Database, Flaw, Request};
use crate::log_store::LogStore;
use crate::machine::machine;
use crate::store::Store;
use crate::types::{Command, Entry, LogId, StorageError, Types, Vote};

/// A number that is added to.
struct Sum;

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    None,
    Retries,
}

impl Database for Sum {
    const NAME: &'static str = "sum";
    const WORKLOADS: &'static [&'static str] = &["counter"];
    const PORT: u16 = 7000;
    type Bug = Bug;
    type State = u64;
    type Change = u64;
    type Question = ();
    type Answer = u64;
    type Clock = ();
    type Memory = ();

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::Retries => Some(Flaw::AppliesRetries),
        }
    }

    fn apply(sum: &mut u64, change: u64, _: Bug) -> u64 {
        *sum += change;
        *sum
    }

    fn look(sum: &u64, (): ()) -> u64 {
        *sum
    }

    fn memory(_: &str) {}

    fn request((): &(), _: &Call) -> Result<Request<u64, ()>, Failure> {
        Ok(Request::Ask(()))
    }

    fn conclude((): &mut (), _: &Call, sum: u64) -> Outcome {
        Ok(Reply::of(sum))
    }
}

struct Fresh;

impl StoreBuilder<Types, LogStore, Store, TempDir> for Fresh {
    async fn build(&self) -> Result<(TempDir, LogStore, Store), StorageError> {
        let folder = tempfile::tempdir().expect("a folder");
        let log = LogStore::open(folder.path(), None).expect("a new log");
        let store = Store::open(folder.path(), machine::<Sum>(Bug::None)).expect("a new store");
        Ok((folder, log, store))
    }
}

#[test]
fn openraft_finds_nothing_wrong_with_the_storage() {
    Suite::test_all(Fresh).expect("all of its tests pass");
}

fn entry(index: u64) -> Entry {
    let log_id = LogId::new(CommittedLeaderId::new(1, 1), index);
    Entry { log_id, payload: EntryPayload::Blank }
}

/// What a log has after it was written and purged, and opened anew: its vote, and its entries.
async fn reopened(flaw: Option<Flaw>) -> (Option<Vote>, Vec<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = LogStore::open(folder.path(), flaw).expect("a new log");
    log.save_vote(&Vote::new_committed(3, 1)).await.expect("it is saved");
    log.blocking_append((0..10).map(entry)).await.expect("they are appended");
    log.truncate(entry(8).log_id).await.expect("the end is cut off");
    log.purge(entry(2).log_id).await.expect("the beginning is cut off");
    log.blocking_append([entry(8)]).await.expect("it is appended");
    let mut log = LogStore::open(folder.path(), flaw).expect("the same log");
    let state = log.get_log_state().await.expect("it has one");
    assert_eq!(state.last_purged_log_id, Some(entry(2).log_id));
    let entries = log.try_get_log_entries(..).await.expect("it has some");
    let vote = log.read_vote().await.expect("it is read");
    (vote, entries.iter().map(|entry| entry.log_id.index).collect())
}

#[tokio::test]
async fn votes_and_entries_outlive_a_restart_and_leadership_does_not() {
    assert_eq!(reopened(None).await, (Some(Vote::new(3, 1)), (3..=8).collect()));
}

#[tokio::test]
async fn with_the_bug_the_vote_is_forgotten() {
    assert_eq!(reopened(Some(Flaw::ForgetsVote)).await, (None, (3..=8).collect()));
}

fn command(sequence: u64, amount: u64) -> Command {
    Command { client: "a".into(), sequence, change: amount.into() }
}

#[test]
fn a_change_that_is_sent_again_happens_once_and_has_the_same_answer() {
    let mut machine = machine::<Sum>(Bug::None);
    assert_eq!(machine.apply(&command(1, 5)), 5);
    assert_eq!(machine.apply(&command(1, 5)), 5);
    assert_eq!(machine.apply(&command(2, 1)), 6);
    machine.apply(&command(1, 5));
    assert_eq!(machine.apply(&command(3, 1)), 7, "nor long afterwards");
}

#[test]
fn with_the_bug_it_happens_again() {
    let mut machine = machine::<Sum>(Bug::Retries);
    assert_eq!(machine.apply(&command(1, 5)), 5);
    assert_eq!(machine.apply(&command(1, 5)), 10);
}
