//! Every phenomenon in a sentence, with an example that shows it: `tribunal explain G-single`.
//!
//! The examples are histories; a test has them judged.

use super::example;
use super::level::{Level, weakest};
use super::phenomenon::{Cycle, Phenomenon, Scope};

/// How an example is to be read.
const LEGEND: &str = "One transaction a line, time from left to right: its name, its process, its steps (it ends with x: it was
aborted). `ax1` appends 1 to list x, `rx12` reads [1,2] of x, `rx_` finds nothing there. Below stands what the checker says of it:
why one comes before another, until it comes round (ww: both wrote, wr: the second read the first's write, rw: the second overwrote
what the first had read, so: the session's order, rt: real time).";

/// Which levels have the order of the sessions in them.
const SESSIONS: &str = "
Levels are judged by the data alone, unless `session`, `strong` or `strict` is in their names. The exception is
causal consistency, which is nothing without sessions: where it is asked for (`--level causal`), of lists or registers, a
transaction also comes after those that its process ran before it. So a history can be `serializable`, which
says nothing of sessions, and break `causal`; none that is `strong-session-serializable` does. In a verdict on another level,
`causal` among the `levels_kept` or `levels_broken` means what the data alone tells.

Of registers `read-committed` and `read-atomic` have sessions in them, too, where they are asked for: all three are by the axioms
of Biswas and Enea (OOPSLA 2019), as AWDIT and others have them, in which a read that goes back behind one before it in
its transaction breaks read committed already (`non-monotonic-read`). Of lists these two are Adya's and Bailis', by the
data. Nobody sees the order of blind writes to registers: `read-uncommitted` is told there only where a stronger level is
kept.
";

impl Phenomenon {
    /// The phenomenon of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|phenomenon| phenomenon.name() == name)
    }

    /// What it is, in a sentence.
    pub fn meaning(self) -> String {
        let what = match self {
            Self::Garbage => "A read shows a value that nobody wrote.",
            Self::DuplicateElements => "A list holds one element twice: it was applied twice.",
            Self::IncompatibleOrder => {
                "Two reads of a list, neither of which is a beginning of the other, or one that does not \
                 have a transaction's elements in the order in which it appended them: there is no one \
                 order of its versions."
            }
            Self::DirtyUpdate => "A committed write builds on one that was aborted.",
            Self::G1a => "Aborted read: a write was read whose transaction was aborted.",
            Self::G1b => {
                "Intermediate read: a write was read over which its own transaction wrote again."
            }
            Self::FutureRead => {
                "A transaction read what it wrote itself only afterwards, and so what was not there yet."
            }
            Self::Internal => {
                "A transaction does not see what it has itself read or written before."
            }
            Self::FracturedRead => {
                "A transaction read something of another's, and missed something else that the same \
                 one had appended."
            }
            Self::GMonotonic => {
                "A transaction had come after another, by what it read or wrote, and then read something \
                 older than that one, or one before it, had left there: its view went back."
            }
            Self::CausalityViolation => {
                "A transaction saw one that had seen another, and missed what that other one had \
                 appended."
            }
            Self::LostUpdate => {
                "P4: a transaction wrote over what it had read, though another's write had come in \
                 between, which so was lost on it."
            }
            Self::Cycle(Cycle::G0, _) => {
                "Write cycle: writes of several transactions have contrary orders on several keys."
            }
            Self::Cycle(Cycle::G1c, _) => {
                "Circular information flow: transactions read and overwrite each other's writes in a \
                 circle."
            }
            Self::Cycle(Cycle::GSingle, _) => {
                "Read skew: a transaction missed a write, and yet depends on who wrote it. A cycle \
                 with exactly one anti-dependency (rw)."
            }
            Self::Cycle(Cycle::GNonadjacent, _) => {
                "Long fork and its like: a cycle with several anti-dependencies (rw), no two of them \
                 adjacent, which no snapshots in one order can give."
            }
            Self::Cycle(Cycle::G2Item, _) => {
                "Write skew and its like: a cycle in which anti-dependencies (rw) are adjacent; each \
                 transaction missed the other's write."
            }
        };
        let scope = match self {
            Self::Cycle(_, Scope::Session) => {
                " It comes round by the order in which a session ran its transactions (so)."
            }
            Self::Cycle(_, Scope::RealTime) => {
                " It comes round by real time: one was over before another began (rt)."
            }
            _ => "",
        };
        what.to_owned() + scope
    }

    /// A history of lists that has it, one transaction a line.
    pub fn example(self) -> &'static str {
        use Cycle::{G0, G1c, G2Item, GNonadjacent, GSingle};
        use Scope::{Data, RealTime, Session};
        match self {
            Self::Garbage => "p0 1-2 ax1\np1 3-4 rx19",
            Self::DuplicateElements => "p0 1-2 ax1\np1 3-4 rx11",
            Self::IncompatibleOrder => "p0 1-2 ax1\np1 1-2 ax2\np2 3-4 rx12\np3 3-4 rx21",
            Self::DirtyUpdate => "p0 1-x2 ax1\np1 3-4 ax2\np2 5-6 rx12",
            Self::G1a => "p0 1-x2 ax1\np1 3-4 rx1",
            Self::G1b => "p0 1-4 ax1 ax2\np1 1-4 rx1\np2 5-6 rx12",
            Self::FutureRead => "p0 1-2 rx1 ax1",
            Self::Internal => "p0 1-2 ax1 rx_\np1 3-4 rx1",
            Self::FracturedRead => "p0 1-6 rx_ ry1\np1 2-4 ax1 ay1",
            Self::GMonotonic => "p0 1-6 ry1 rx_\np1 2-4 ax1 ay1",
            Self::CausalityViolation => "p0 1-2 ax1\np1 3-4 rx1 ay1\np2 1-6 rx_ ry1",
            Self::LostUpdate => "p0 1-4 rx_ ax1\np1 1-4 rx_ ax2\np2 5-6 rx12",
            Self::Cycle(G0, Data) => "p0 1-4 ax1 ay1\np1 1-4 ax2 ay2\np2 5-6 rx12 ry21",
            Self::Cycle(G0, Session) => "p0 1-2 ax1\np0 3-4 ax2\np1 5-6 rx21",
            Self::Cycle(G0, RealTime) => "p0 1-2 ax1\np1 3-4 ax2\np2 5-6 rx21",
            Self::Cycle(G1c, Data) => "p0 1-4 ax1 ry1\np1 1-4 ay1 rx1",
            Self::Cycle(G1c, Session) => "p0 1-2 rx1\np0 3-4 ax1",
            Self::Cycle(G1c, RealTime) => "p0 1-2 rx1\np1 3-4 ax1",
            Self::Cycle(GSingle, Data) => "p0 1-6 rx_ ry1\np1 2-4 ax1 ay1",
            Self::Cycle(GSingle, Session) => "p0 1-2 ax1\np0 3-4 rx_\np1 5-6 rx1",
            Self::Cycle(GSingle, RealTime) => "p0 1-2 ax1\np1 3-4 rx_\np2 5-6 rx1",
            Self::Cycle(GNonadjacent, Data) => {
                "p0 1-2 ax1\np1 1-2 ay1\np2 1-9 rx1 ry_\np3 1-9 rx_ ry1"
            }
            Self::Cycle(GNonadjacent, Session) => "p0 1-2 ax1\np0 3-9 ry_\np1 1-2 ay1\np1 3-9 rx_",
            Self::Cycle(GNonadjacent, RealTime) => {
                "p0 1-9 ax1\np1 2-9 rx1 ry_\np2 2-3 ay1\np3 4-9 rx_"
            }
            Self::Cycle(G2Item, Data) => "p0 1-4 rx_ ay1\np1 1-4 ry_ ax1",
            Self::Cycle(G2Item, Session) => "p0 1-2 ax1\np0 3-9 ry_\np1 1-9 rx_ ay1",
            Self::Cycle(G2Item, RealTime) => "p0 1-2 ax1\np2 3-9 ry_\np1 1-9 rx_ ay1",
        }
    }

    /// The example drawn, and what its checker says of it.
    fn drawn(self) -> String {
        example::drawn(self.example(), self.name())
    }

    /// All that there is to say, for a terminal.
    pub fn explanation(self) -> String {
        let which = match weakest(self) {
            [level] => format!("The weakest level that forbids it: {level}."),
            several => format!("The weakest levels that forbid it: {}.", names(several)),
        };
        format!(
            "{}\n\n{}\n{which}\n\n    {}\n\n{LEGEND}\n",
            self.name(),
            self.meaning(),
            self.drawn().replace('\n', "\n    ").replace("\n    \n", "\n\n")
        )
    }
}

fn names(levels: &[Level]) -> String {
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    names.join(", ")
}

/// Every phenomenon, as the page `docs/anomalies.md`.
pub fn page() -> String {
    let mut page = format!(
        "# What transactions may not do\n\nThe phenomena that `tribunal check --model list-append` \
         tells apart, the worst first, each with the weakest\nisolation level that forbids it (and \
         with it every level that implies that one). `tribunal explain NAME` prints one.\n\n\
         {LEGEND}\n\n| anomaly | weakest level that forbids it | |\n|---|---|---|\n"
    );
    for phenomenon in Phenomenon::all() {
        page += &format!(
            "| `{}` | {} | {} |\n",
            phenomenon.name(),
            names(weakest(phenomenon)),
            phenomenon.meaning()
        );
    }
    page += SESSIONS;
    for phenomenon in Phenomenon::all() {
        page += &format!("\n## {}\n\n```text\n{}\n```\n", phenomenon.name(), phenomenon.drawn());
    }
    page
}
