//! One row of a parameter table, and what its key says of its value.

use crate::{secret_key::is_secret_key, trim::trimmed};
use serde::{Deserialize, Serialize};

/// One row of a parameter table.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Parameter {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub value: String,
}

impl Parameter {
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// A row whose key says that its value is a client secret, also where a query string was pasted as the key.
    pub fn is_secret(&self) -> bool {
        pairs(&self.key).any(|(name, _)| is_secret_key(trimmed(name)))
    }

    /// Parameters that were pasted as one text, `a=1&b=2`, into the place of a key.
    pub fn is_query(&self) -> bool {
        trimmed(&self.value).is_empty() && self.key.contains('=')
    }

    /// Takes the value of a client secret out, with what was pasted behind it.
    pub(crate) fn clear_secret(&mut self) {
        self.value.clear();
        let secret = pairs(&self.key).find(|(name, _)| is_secret_key(trimmed(name)));
        if let Some((_, end)) = secret {
            self.key.truncate(end);
        }
    }

    /// A row that a person added and has not typed in.
    pub fn is_blank(&self) -> bool {
        trimmed(&self.key).is_empty() && trimmed(&self.value).is_empty()
    }
}

/// The names of a key's parameters, of which a query string has several, and where in the key each name ends.
fn pairs(key: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut start = 0;
    key.split(['?', '&']).map(move |pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let end = start + name.len();
        start += pair.len() + 1;
        (name, end)
    })
}
