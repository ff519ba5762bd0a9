//! What an object holds, in words: "nothing", "[1, 2, 3]", "[1, 2, 3 and 25 more]".

use tribunal_history::{Datum, History};

/// The most values listed.
const LISTED: usize = 6;

/// Values in their order; the last ones where there are many, as those are what calls are about.
pub(super) fn list<'d>(values: impl IntoIterator<Item = &'d Datum>, history: &History) -> String {
    let values: Vec<&Datum> = values.into_iter().collect();
    let told = |&&value: &&Datum| history.values().get(value).to_string();
    let earlier = values.len().saturating_sub(LISTED);
    let listed: Vec<String> = values[earlier..].iter().map(told).collect();
    match (values.len(), earlier) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => format!("[{}]", listed.join(", ")),
        _ => format!("[{earlier} more, {}]", listed.join(", ")),
    }
}

/// One value.
pub(super) fn value(value: Datum, history: &History) -> String {
    history.values().get(value).to_string()
}
