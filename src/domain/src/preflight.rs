//! What stands in the way of a token, checked before anybody is sent to an identity provider.
//!
//! Another check is a [`Check`] that `services::preflight` adds.

use crate::{ids::ConnectionKey, views::ConnectorNames};
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightView {
    pub key: ConnectionKey,
    pub names: ConnectorNames,
    /// The address that the browser will be sent to; what is drawn anew for each attempt stands in it as a word.
    pub authorization_url: Option<String>,
    /// To be registered with the provider.
    pub redirect_uri: Option<String>,
    pub checks: Vec<Check>,
}
