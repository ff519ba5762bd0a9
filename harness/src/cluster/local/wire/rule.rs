//! What a fault asks of a directed link between two nodes: plain data, as it is
//! planned, recorded and sent to the wire. How a frame fares under it is [`link`](super::link)'s.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to the frames of a link. Parts that are absent leave it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Every frame comes this much later, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay_ns: u64,
    /// The delay of each frame is off by up to this, either way; their order stays.
    #[serde(skip_serializing_if = "is_zero")]
    pub jitter_ns: u64,
    /// The share of frames that are lost, from 0 to 1.
    #[serde(skip_serializing_if = "is_never")]
    pub loss: f64,
    /// The share that comes twice.
    #[serde(skip_serializing_if = "is_never")]
    pub duplicate: f64,
    /// The share of which one bit is flipped.
    #[serde(skip_serializing_if = "is_never")]
    pub corrupt: f64,
    /// Flipped bits lie behind the headers, and the checksum is made to fit, so that nobody notices.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mend: bool,
    /// The share that is held back, so that later ones overtake it.
    #[serde(skip_serializing_if = "is_never")]
    pub reorder: f64,
    /// For how long, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub reorder_ns: u64,
    /// Bits a second; 0 for as many as come.
    #[serde(skip_serializing_if = "is_zero")]
    pub rate: u64,
    /// The share that comes again, much later.
    #[serde(skip_serializing_if = "is_never")]
    pub replay: f64,
    /// How much later, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub replay_ns: u64,
    /// Nothing comes until the rule ends, and then everything, in order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
}

impl Rule {
    /// Longest delay that a rule may ask for.
    pub const LONGEST: Duration = Duration::from_secs(600);

    /// Why it makes no sense, if it does not.
    pub fn fault(&self) -> Option<String> {
        let shares = [
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("corrupt", self.corrupt),
            ("reorder", self.reorder),
            ("replay", self.replay),
        ];
        let bad = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share));
        if let Some((name, share)) = bad {
            return Some(format!("{name} is {share}; a share is from 0 to 1"));
        }
        let times = [self.delay_ns, self.jitter_ns, self.reorder_ns, self.replay_ns];
        let longest = Self::LONGEST.as_nanos() as u64;
        if times.iter().any(|&time| time > longest) {
            return Some(format!("a link delays by {} s at most", Self::LONGEST.as_secs()));
        }
        (*self == Self::default()).then(|| "it changes nothing".to_owned())
    }

    /// Whether frames must be as they are on a real wire, neither joined by the sender's
    /// segmentation offload nor without their checksums.
    pub fn needs_single_frames(&self) -> bool {
        [self.loss, self.duplicate, self.corrupt, self.reorder, self.replay]
            .iter()
            .any(|&it| it > 0.0)
            || self.rate > 0
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_never(share: &f64) -> bool {
    *share == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_by_what_it_changes() {
        let rule = Rule { delay_ns: 5, loss: 0.5, ..Rule::default() };
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(text, r#"{"delay_ns":5,"loss":0.5}"#);
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule);
        assert!(serde_json::from_str::<Rule>(r#"{"dealy_ns":5}"#).is_err());
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(Rule { loss: 0.1, ..Rule::default() }.fault(), None);
        let loss = Rule { loss: 1.5, ..Rule::default() };
        assert_eq!(loss.fault().unwrap(), "loss is 1.5; a share is from 0 to 1");
        assert!(Rule { loss: f64::NAN, ..Rule::default() }.fault().is_some());
        let slow = Rule { delay_ns: u64::MAX, ..Rule::default() };
        assert_eq!(slow.fault().unwrap(), "a link delays by 600 s at most");
        assert_eq!(Rule::default().fault().unwrap(), "it changes nothing");
    }
}
