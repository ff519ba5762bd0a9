//! Who is in a cluster, as it is given on a command line.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A member: `n1=10.0.0.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub id: String,
    /// Its address.
    pub ip: String,
}

impl FromStr for Member {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((id, ip)) if !id.is_empty() && !ip.is_empty() => {
                Ok(Member { id: id.to_owned(), ip: ip.to_owned() })
            }
            _ => Err(format!("`{text}` is not a member like n1=10.0.0.1")),
        }
    }
}
