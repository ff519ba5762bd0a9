//! What a search has learned: clauses, of whose choices one at least must be made, each with what
//! it was concluded from.

use super::chain::Choice;

/// A clause by number.
pub type ClauseId = u32;

/// Stands for no clause: the choice was a guess.
pub const GUESS: ClauseId = ClauseId::MAX;

struct Clause {
    begin: u32,
    /// Where in `sources` those that it follows from begin. None: it is a cycle, all of whose
    /// choices cannot be made together.
    sources: u32,
}

/// All clauses, in one row.
#[derive(Default)]
pub struct Clauses {
    list: Vec<Clause>,
    choices: Vec<Choice>,
    sources: Vec<ClauseId>,
}

impl Clauses {
    /// Adds a clause that follows from others; from none if it is a cycle.
    pub fn add(&mut self, choices: &[Choice], sources: &[ClauseId]) -> ClauseId {
        let begin = self.choices.len() as u32;
        self.list.push(Clause { begin, sources: self.sources.len() as u32 });
        self.choices.extend(choices);
        self.sources.extend(sources);
        (self.list.len() - 1) as ClauseId
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    fn end(&self, id: ClauseId) -> usize {
        let next = self.list.get(id as usize + 1);
        next.map_or(self.choices.len(), |next| next.begin as usize)
    }

    /// The choices of a clause.
    pub fn get(&self, id: ClauseId) -> &[Choice] {
        &self.choices[self.list[id as usize].begin as usize..self.end(id)]
    }

    /// The same, to be put in another order.
    pub fn get_mut(&mut self, id: ClauseId) -> &mut [Choice] {
        let end = self.end(id);
        &mut self.choices[self.list[id as usize].begin as usize..end]
    }

    /// What a clause follows from.
    pub fn sources(&self, id: ClauseId) -> &[ClauseId] {
        let next = self.list.get(id as usize + 1);
        let end = next.map_or(self.sources.len(), |next| next.sources as usize);
        &self.sources[self.list[id as usize].sources as usize..end]
    }
}
