//! Keys, nodes and timestamps as the messages of this checker write them.

use tribunal_history::ValueRef;

use super::register::{Stamp, Write};

/// A key as messages name it.
pub(super) fn key_name(key: Option<ValueRef>) -> String {
    match key.map(|key| (key, key.as_str())) {
        None => "the register".to_owned(),
        Some((_, Some(text))) => format!("key {text}"),
        Some((key, None)) => format!("key {key}"),
    }
}

/// ` through n2`: the node that stamped it.
pub(super) fn through(write: &Write) -> String {
    write.node().map_or_else(String::new, |node| format!(" through {node}"))
}

/// ` (stamped 19:28:58.500000)`.
pub(super) fn stamped(write: &Write) -> String {
    match write.stamp {
        Stamp::Unknown => String::new(),
        Stamp::Disputed => " (its timestamps contradict each other)".to_owned(),
        Stamp::Known(stamp) => format!(" (stamped {})", moment(stamp)),
    }
}

/// A timestamp of this century in nanoseconds as the time of its day, any other
/// as the number it is. Of two timestamps the message also says how far they are
/// apart, and its details have them in full.
fn moment(stamp: i128) -> String {
    const CENTURY: std::ops::Range<i128> = 946_684_800_000_000_000..4_102_444_800_000_000_000;
    let date = jiff::Timestamp::from_nanosecond(stamp).ok().filter(|_| CENTURY.contains(&stamp));
    date.map_or_else(|| stamp.to_string(), |date| date.strftime("%T%.6f").to_string())
}
