//! Anomalies of one kind together: twenty-six lost writes are one finding, told
//! once and counted.

use tribunal_checkers::Anomaly;

use super::words;

/// Keys that are named; the rest is counted.
const KEYS: usize = 8;

/// The anomalies of one name, in their order.
pub(super) struct OfAKind<'a> {
    pub name: &'a str,
    pub anomalies: Vec<&'a Anomaly>,
}

/// The kinds, in the order in which they first appear.
pub(super) fn kinds(anomalies: &[Anomaly]) -> Vec<OfAKind<'_>> {
    let mut kinds: Vec<OfAKind> = Vec::new();
    for anomaly in anomalies {
        match kinds.iter_mut().find(|kind| kind.name == anomaly.name) {
            Some(kind) => kind.anomalies.push(anomaly),
            None => kinds.push(OfAKind { name: &anomaly.name, anomalies: vec![anomaly] }),
        }
    }
    kinds
}

impl OfAKind<'_> {
    /// All but the first: `25 more of lost-write, on keys 83 84 85 86 87 88 89 90 and 17 others`.
    pub fn others(&self) -> String {
        let others = &self.anomalies[1..];
        let count = words::count(others.len());
        format!("{count} more of {}{}", words::clip(self.name, 30), on_keys(others))
    }

    /// `26 × lost-write, on keys …`.
    pub fn all(&self) -> String {
        let count = words::count(self.anomalies.len());
        format!("{count} × {}{}", words::clip(self.name, 60), on_keys(&self.anomalies))
    }
}

fn on_keys(anomalies: &[&Anomaly]) -> String {
    let mut keys: Vec<String> = Vec::new();
    for key in anomalies.iter().filter_map(|anomaly| anomaly.key.as_ref()) {
        let key = words::value(key, 20);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let more = keys.len().saturating_sub(KEYS);
    keys.truncate(KEYS);
    match (keys.len(), more) {
        (0, _) => String::new(),
        (1, _) => format!(", on key {}", keys[0]),
        (_, 0) => format!(", on keys {}", keys.join(" ")),
        (_, more) => format!(", on keys {} and {} others", keys.join(" "), words::count(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_a_kind_are_counted_and_their_first_keys_named() {
        let anomaly = |name: &str, key: Option<u64>| Anomaly {
            name: name.to_owned(),
            key: key.map(Into::into),
            ..Anomaly::default()
        };
        let mut all: Vec<_> = (1..=12).map(|key| anomaly("lost-write", Some(key))).collect();
        all.insert(1, anomaly("split-brain", None));
        all.push(anomaly("lost-write", Some(12)));
        let kinds = kinds(&all);
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        assert_eq!(names, ["lost-write", "split-brain"]);
        assert_eq!(
            kinds[0].others(),
            "12 more of lost-write, on keys 2 3 4 5 6 7 8 9 and 3 others"
        );
        assert_eq!(kinds[1].all(), "1 × split-brain");
    }
}
