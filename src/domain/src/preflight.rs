//! What stands in the way of a token, checked before anybody is sent to an identity provider.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Fine,
    /// It works, but is not as it should be.
    Warning,
    Wrong,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    pub verdict: Verdict,
    /// What was found, and what to do where it is not fine.
    pub finding: String,
}
