//! The table of objects whose histories can be judged by name: `--model NAME`.
//!
//! A workload is more than its object (calls to make, last reads, how much is
//! enough); this is for a history that is there already, anybody's.

use serde_json::{Map, Value};
use tribunal_history::History;

use crate::invariants::{Bank, CausalReverse, LongFork, Monotonic, WriteSkew};
use crate::linearizability::counter::Counter;
use crate::linearizability::ids::UniqueIds;
use crate::linearizability::lock::{FencedLock, FencedStore, OwnedLock, Semaphore};
use crate::linearizability::log::Log;
use crate::linearizability::model::Model;
use crate::linearizability::models::{Kv, MultiRegister};
use crate::linearizability::priority::PriorityQueue;
use crate::linearizability::queue::{FifoQueue, UnorderedQueue};
use crate::linearizability::set::{GrowOnlySet, Set};
use crate::linearizability::stack::Stack;
use crate::transactions::{Level, ListAppend, RwRegister};
use crate::{Checker, Judge, Leader, Lease, Linearizable, Lww, SetFull, TotalQueue};

/// An object as it stands in the table.
#[derive(Clone, Copy)]
pub struct ObjectKind {
    /// How it is called.
    pub name: &'static str,
    /// Its calls, and what is promised of it.
    pub summary: &'static str,
    make: fn(&Setting) -> Result<Box<dyn Checker>, String>,
}

/// What a user says of an object beside its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// What it holds before the first call.
    pub initial: Option<Value>,
    /// The permits of a semaphore.
    pub permits: Option<u32>,
    /// The isolation level that transactions must keep.
    pub level: Option<Level>,
}

impl ObjectKind {
    /// Its checker. An error says what the object does not have.
    pub fn checker(&self, setting: &Setting) -> Result<Box<dyn Checker>, String> {
        let name = self.name;
        if setting.initial.is_some() && !STARTS.contains(&name) {
            let starts = STARTS.join(", ");
            return Err(format!(
                "a {name} has no initial value; drop --initial, it is for {starts}"
            ));
        }
        if setting.permits.is_some() && name != "semaphore" {
            return Err(format!("a {name} has no permits; drop --permits, it is for semaphore"));
        }
        if setting.level.is_some() && !LEVELS.contains(&name) {
            let levels = LEVELS.join(", ");
            return Err(format!("a {name} has no levels; drop --level, it is for {levels}"));
        }
        (self.make)(setting)
    }
}

/// The objects that may hold something before the first call.
const STARTS: [&str; 8] =
    ["register", "cas-register", "multi-register", "kv", "fenced-store", "lww", "counter", "bank"];

/// The objects that are judged by an isolation level.
const LEVELS: [&str; 2] = ["list-append", "rw-register"];

/// The object of this name.
pub fn object(name: &str) -> Option<&'static ObjectKind> {
    OBJECTS.iter().find(|object| object.name == name)
}

/// All objects, by name.
pub const OBJECTS: &[ObjectKind] = &[
    ObjectKind {
        name: "bank",
        summary: "transfer {from,to,amount}, read -> {account: balance}; the total is kept",
        make: bank,
    },
    ObjectKind {
        name: "cas-register",
        summary: "write v, read -> v, cas [old,new]; by key; linearizable",
        make: register,
    },
    ObjectKind {
        name: "causal-reverse",
        summary: "write v, read -> [v..]; a write is seen with all that were over before it",
        make: |_| Ok(Box::new(CausalReverse)),
    },
    ObjectKind {
        name: "counter",
        summary: "add n, read -> n; linearizable, or within its bounds",
        make: counter,
    },
    ObjectKind {
        name: "fenced-lock",
        summary: "acquire -> {token}, release; one holder, and tokens grow",
        make: |_| judge(FencedLock { exclusive: true }),
    },
    ObjectKind {
        name: "fenced-store",
        summary: "write {token, value}, read -> v; no write under an old token",
        make: fenced_store,
    },
    ObjectKind {
        name: "fifo-queue",
        summary: "enqueue v, dequeue -> v or null, drain -> [v..]; in order; linearizable",
        make: |_| judge(FifoQueue),
    },
    ObjectKind {
        name: "kv",
        summary: "put v, append v, get -> v; texts by key; linearizable",
        make: kv,
    },
    ObjectKind {
        name: "leader",
        summary: "probe -> {node, role, term}, committed -> {node, log}; no two leaders, no two logs",
        make: |_| Ok(Box::new(Leader::default())),
    },
    ObjectKind {
        name: "lease",
        summary: "acquire, renew, release with a time to live; no two holders for certain",
        make: |_| Ok(Box::new(Lease::default())),
    },
    ObjectKind {
        name: "list-append",
        summary: "txn [[\"r\",k,[v..]],[\"append\",k,v]..]; to an isolation level (--level)",
        make: |setting| {
            let level = setting.level.unwrap_or(Level::StrictSerializable);
            Ok(Box::new(ListAppend { level }))
        },
    },
    ObjectKind {
        name: "lock",
        summary: "acquire, release by the holder; one holder at a time",
        make: |_| judge(OwnedLock::PLAIN),
    },
    ObjectKind {
        name: "log",
        summary: "append v -> offset, poll -> [[offset,v]..]; one order, nothing lost",
        make: |_| judge(Log),
    },
    ObjectKind {
        name: "long-fork",
        summary: "txn [[\"w\",k,v]] or [[\"r\",k,v]..]; no two reads disagree on an order",
        make: |_| Ok(Box::new(LongFork)),
    },
    ObjectKind {
        name: "lww",
        summary: "write v, read -> v, last reads marked final; no acknowledged write is lost",
        make: |setting| {
            Ok(Box::new(Lww { initial: setting.initial.clone().unwrap_or(Value::Null) }))
        },
    },
    ObjectKind {
        name: "monotonic",
        summary: "inc k -> {k: n}, read -> {k: n..}; counters grow, in one order",
        make: |_| Ok(Box::new(Monotonic)),
    },
    ObjectKind {
        name: "multi-register",
        summary: "txn [[\"r\",k,v],[\"w\",k,v]..]; several registers at once; linearizable",
        make: multi_register,
    },
    ObjectKind {
        name: "mutex",
        summary: "acquire, release by anybody; one holder at a time",
        make: |_| judge(Semaphore::MUTEX),
    },
    ObjectKind {
        name: "priority-queue",
        summary: "enqueue n, dequeue -> the highest, or null; linearizable",
        make: |_| judge(PriorityQueue),
    },
    ObjectKind {
        name: "queue",
        summary: "enqueue v, dequeue -> v or null, drain; in any order; linearizable",
        make: |_| judge(UnorderedQueue),
    },
    ObjectKind {
        name: "reentrant-lock",
        summary: "acquire, release by the holder, who may acquire again",
        make: |_| judge(OwnedLock::REENTRANT),
    },
    ObjectKind {
        name: "register",
        summary: "write v, read -> v; by key; linearizable",
        make: register,
    },
    ObjectKind {
        name: "rw-register",
        summary: "txn [[\"r\",k,v],[\"w\",k,v]..]; to an isolation level (--level)",
        make: |setting| {
            let level = setting.level.unwrap_or(Level::StrictSerializable);
            Ok(Box::new(RwRegister { level }))
        },
    },
    ObjectKind {
        name: "semaphore",
        summary: "acquire, release; at most as many holders as permits (--permits N)",
        make: semaphore,
    },
    ObjectKind {
        name: "set",
        summary: "add v, read -> [v..]; nothing is removed; linearizable",
        make: |_| judge(GrowOnlySet),
    },
    ObjectKind {
        name: "set-full",
        summary: "add v, read -> [v..]; every element: stable, lost, stale, never read",
        make: |_| Ok(Box::new(SetFull::default())),
    },
    ObjectKind {
        name: "set-with-remove",
        summary: "add v, remove v, contains v -> bool; linearizable",
        make: |_| judge(Set),
    },
    ObjectKind {
        name: "stack",
        summary: "push v, pop -> v or null, drain; linearizable",
        make: |_| judge(Stack),
    },
    ObjectKind {
        name: "total-queue",
        summary: "enqueue v, dequeue -> v, drain; what goes in comes out, once, in any order",
        make: |_| Ok(Box::new(TotalQueue::default())),
    },
    ObjectKind {
        name: "unique-ids",
        summary: "generate -> id; no id twice",
        make: |_| judge(UniqueIds),
    },
    ObjectKind {
        name: "write-skew",
        summary: "insert [id,null] or [null,id], by key; one insert a key succeeds at most (G2)",
        make: |_| Ok(Box::new(WriteSkew)),
    },
];

fn judge<M: Model + 'static>(model: M) -> Result<Box<dyn Checker>, String> {
    Ok(Box::new(Judge::new(model)))
}

fn register(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    let initial = setting.initial.clone().unwrap_or(Value::Null);
    Ok(Box::new(Linearizable { initial, ..Linearizable::default() }))
}

fn counter(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    let initial = setting.initial.clone().unwrap_or(Value::from(0));
    let whole = || format!("a counter begins with a whole number, and {initial} is none");
    judge(Counter { initial: initial.as_i64().ok_or_else(whole)? })
}

/// A bank begins with the total of its accounts.
fn bank(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    let whole = |initial: &Value| {
        let wrong = || format!("a bank's total is a whole number, and {initial} is none");
        initial.as_i64().ok_or_else(wrong)
    };
    let total = setting.initial.as_ref().map(whole).transpose()?;
    Ok(Box::new(Bank { total, debts: false }))
}

fn semaphore(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    match setting.permits {
        Some(0) => Err("a semaphore has at least one permit: --permits N".to_owned()),
        Some(permits) => judge(Semaphore { permits }),
        None => Err("say how many permits the semaphore has: --permits N".to_owned()),
    }
}

fn kv(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    match &setting.initial {
        None => judge(Kv::default()),
        Some(Value::String(text)) => judge(Kv { initial: text.clone() }),
        Some(other) => Err(format!(
            "a kv begins with a text, and {other} is none; quote it: --initial '\"{other}\"'"
        )),
    }
}

fn multi_register(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    let initial = match &setting.initial {
        None => Map::new(),
        Some(Value::Object(registers)) => registers.clone(),
        Some(other) => {
            return Err(format!(
                "a multi-register begins with an object from key to value, such as \
                 {{\"x\":0,\"y\":0}}, and {other} is none"
            ));
        }
    };
    starting(move |history| MultiRegister::starting(history, &initial))
}

fn fenced_store(setting: &Setting) -> Result<Box<dyn Checker>, String> {
    let initial = setting.initial.clone().unwrap_or(Value::Null);
    starting(move |history| FencedStore { initial: history.values().find(&initial) })
}

/// A model that begins with values of the history that it judges.
fn starting<M: Model + 'static>(
    model: impl Fn(&History) -> M + Send + Sync + 'static,
) -> Result<Box<dyn Checker>, String> {
    Ok(Box::new(move |history: &History| Judge::new(model(history)).check(history)))
}
