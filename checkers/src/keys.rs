//! The calls on each object of a history, side by side in one list. What they
//! say is read elsewhere.

use rayon::prelude::*;
use tribunal_history::{History, Operation, ValueRef};

use crate::Anomaly;

/// Operations by key, by their numbers. An absent key is a key too, the first of all.
pub(crate) struct ByKey {
    numbers: Vec<u32>,
    /// Where the calls on each object begin, and where those on the last one end.
    bounds: Vec<usize>,
}

/// The place of an operation that is left out.
const LEFT_OUT: u32 = u32::MAX;

impl ByKey {
    /// The operations that are `wanted`, those on one key in the order of their starts. Keys come
    /// in the order of their first events; one without such an operation does not come.
    pub fn of(history: &History, wanted: impl Fn(&Operation) -> bool + Sync) -> Self {
        let place = |number: u32| match history.operation(number) {
            call if wanted(&call) => history.key_place(&call).map_or(0, |place| place as u32 + 1),
            _ => LEFT_OUT,
        };
        let calls = history.operations().len() as u32;
        let places: Vec<u32> = (0..calls).into_par_iter().map(place).collect();
        let mut bounds = vec![0; history.keys().len() + 2];
        let wanted = || (0..).zip(&places).filter(|&(_, &place)| place != LEFT_OUT);
        wanted().for_each(|(_, &place)| bounds[place as usize + 1] += 1);
        (1..bounds.len()).for_each(|at| bounds[at] += bounds[at - 1]);
        let mut numbers = vec![0; bounds.last().copied().unwrap_or(0)];
        let mut free = bounds.clone();
        for (number, &place) in wanted() {
            let next = &mut free[place as usize];
            numbers[*next] = number;
            *next += 1;
        }
        bounds.dedup();
        Self { numbers, bounds }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The calls on each object, never none.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.bounds.windows(2).map(|bounds| &self.numbers[bounds[0]..bounds[1]])
    }

    /// The same, for all cores.
    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = &[u32]> {
        self.bounds.par_windows(2).map(|bounds| &self.numbers[bounds[0]..bounds[1]])
    }
}

/// What is made of the calls on one object, and its key.
pub(crate) type Keyed<'h, T> = (Option<ValueRef<'h>>, T);

/// What is made of the calls on each object; of several errors the first.
pub(crate) fn each<'h, T: Send>(
    history: &'h History,
    of: impl Fn(&[Operation<'h>]) -> Result<T, String> + Sync,
) -> Result<Vec<Keyed<'h, T>>, String> {
    let object = |numbers: &[u32]| {
        let calls: Vec<Operation> = numbers.iter().map(|&at| history.operation(at)).collect();
        Ok((calls[0].key(), of(&calls)?))
    };
    let objects: Vec<Result<_, String>> =
        ByKey::of(history, |_| true).par_iter().map(object).collect();
    objects.into_iter().collect()
}

/// All that is wrong with each of the objects.
pub(crate) fn wrong<T>(
    objects: &[Keyed<T>],
    anomalies: impl Fn(&T) -> Vec<Anomaly>,
) -> Vec<Anomaly> {
    let of = |(key, it): &Keyed<T>| {
        let key = key.map(ValueRef::to_value);
        anomalies(it).into_iter().map(move |anomaly| Anomaly { key: key.clone(), ..anomaly })
    };
    objects.iter().flat_map(of).collect()
}
