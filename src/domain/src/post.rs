//! A post of the form: what its page had got, and what became of it.

use crate::form::Part;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fingerprints of the parts as this page last got them. A page sends them back, so that only what was changed
/// on it is applied: two tabs never undo each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    pub base_url: String,
    pub company_id: String,
    pub client_id: String,
    pub authorization: String,
    pub access_token: String,
    pub provider: String,
    pub every_environment: String,
    /// What is saved in the instance's other environments.
    pub others: String,
}

impl Seen {
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::BaseUrl => &self.base_url,
            Part::CompanyId => &self.company_id,
            Part::ClientId => &self.client_id,
            Part::Authorization => &self.authorization,
            Part::AccessToken => &self.access_token,
            Part::Provider => &self.provider,
            Part::AppliesTo => &self.every_environment,
        }
    }
}

/// What was chosen where somebody else had saved: `saved` or `mine` by the names of the parts in question, and the
/// saved `version` that the choices are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices(BTreeMap<String, String>);

impl Choices {
    pub const MINE: &'static str = "mine";
    pub const SAVED: &'static str = "saved";
    const VERSION: &'static str = "version";

    pub fn new(version: i64, mine: impl IntoIterator<Item = Part>) -> Self {
        let mine = mine.into_iter().map(|part| (part.name().to_owned(), Self::MINE.to_owned()));
        Self(mine.chain([(Self::VERSION.to_owned(), version.to_string())]).collect())
    }

    pub fn version(&self) -> Option<i64> {
        self.0.get(Self::VERSION)?.parse().ok()
    }

    /// This admin's own value was chosen.
    pub fn is_mine(&self, part: Part) -> bool {
        self.0.get(part.name()).is_some_and(|choice| choice == Self::MINE)
    }
}

/// What became of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Loaded,
    Kept,
    Saved,
    Discarded,
    /// Not saved: there are problems.
    Refused,
    /// Not saved: somebody else did.
    Conflicting,
    /// Not saved for every environment: somebody saved in another one since the page was loaded.
    ChangedElsewhere,
    /// Nothing was done: resetting takes a token with it, and that is asked first.
    ResetToConfirm,
    /// Nothing was done: forgetting a token stops what uses it, and that is asked first.
    RevokeToConfirm,
    /// The token is forgotten.
    Forgotten,
}
