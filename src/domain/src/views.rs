//! What the pages show: the answers of the server functions, ready to be read.
//!
//! A new page gets a struct here with just what it shows. Moments come as text, made on the server, so that
//! both halves render the same.

use crate::{
    connection_state::StateWithReason,
    form::{FormContent, Part, Problem},
    ids::ConnectionKey,
    time::Moment,
    tokens::CredentialsView,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Classification {
    Prod,
    Test,
}

impl Classification {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prod => "PROD",
            Self::Test => "TEST",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Prod, Self::Test].into_iter().find(|c| c.as_str() == text)
    }
}

/// The header's line about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub email: String,
    /// What the browser files unsent typing under, so that nobody else finds it.
    pub admin: String,
}

// ── `/` ──

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub instances: Vec<InstanceCard>,
    /// Goes into `?after=` for the next page.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceCard {
    pub space: String,
    pub space_name: String,
    pub instance: String,
    pub name: String,
    pub pack_name: Option<String>,
    pub environments: Vec<Environment>,
    /// What needs somebody first.
    pub connections: Vec<ConnectionLine>,
    /// Connections of this instance that the card leaves to the instance's page.
    pub more: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub id: String,
    pub name: String,
    pub classification: Classification,
}

/// One connection in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionLine {
    pub key: ConnectionKey,
    pub connection_name: String,
    pub process_name: String,
    pub environment_name: String,
    /// `None` where it uses no OAuth.
    pub standing: Option<StateWithReason>,
    pub saved: Option<Saved>,
    /// The signed-in admin has typed something here that is not saved.
    pub draft: bool,
}

// ── `/spaces/{space}/instances/{instance}` ──

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    pub space: String,
    pub space_name: String,
    pub instance: String,
    pub name: String,
    pub pack_name: Option<String>,
    pub environments: Vec<Environment>,
    /// Environments of the Space that the instance is not attached to.
    pub attachable: Vec<Environment>,
    pub processes: Vec<Named>,
    /// Chosen by the address, or the only one there is.
    pub environment: Option<String>,
    pub process: Option<String>,
    /// Connections of the chosen process in the chosen environment, what needs somebody first.
    pub connections: Vec<ConnectionLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: String,
    pub name: String,
}

// ── the connector form ──

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorView {
    pub key: ConnectionKey,
    pub names: ConnectorNames,
    /// The draft if there is one, else the saved details, else the connection's defaults.
    pub content: FormContent,
    /// The saved version that `content` started from; 0 for none.
    pub base_version: i64,
    pub seen: Seen,
    pub problems: Vec<Problem>,
    /// A save was attempted: everything that stands in its way is among the problems.
    pub attempted: bool,
    /// What is saved lacks these.
    pub missing: Vec<Part>,
    pub saved: Option<Saved>,
    /// There is a draft, kept at this moment.
    pub draft: Option<Moment>,
    pub conflict: Option<Conflict>,
    /// Other environments of the instance, and whether the same is saved there.
    pub others: Vec<OtherEnvironment>,
    pub suggestions: Vec<Suggestion>,
    pub history: Vec<HistoryEntry>,
    pub credentials: CredentialsView,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorNames {
    pub space: String,
    pub instance: String,
    pub environment: String,
    pub classification: Classification,
    pub process: String,
    pub connection: String,
}

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub by: String,
    pub at: Moment,
}

/// Somebody saved since this draft was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub by: String,
    /// It was this admin, on another page or for every environment.
    pub by_me: bool,
    pub at: Moment,
    /// The version that the choices are about; they no longer count once there is a newer one.
    pub version: i64,
    pub parts: Vec<ConflictPart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictPart {
    pub part: Part,
    /// The value's lines, for reading.
    pub saved: Vec<String>,
    pub mine: Vec<String>,
    pub prefer_mine: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherEnvironment {
    pub name: String,
    pub state: OtherState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherState {
    Empty,
    Same,
    Different,
}

/// A value that this account has used before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub field: SuggestionField,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SuggestionField {
    BaseUrl,
    CompanyId,
    ClientId,
    AuthorizationKey,
    AuthorizationValue,
    AccessTokenKey,
    AccessTokenValue,
}

impl SuggestionField {
    pub const ALL: [Self; 7] = [
        Self::BaseUrl,
        Self::CompanyId,
        Self::ClientId,
        Self::AuthorizationKey,
        Self::AuthorizationValue,
        Self::AccessTokenKey,
        Self::AccessTokenValue,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::CompanyId => "company_id",
            Self::ClientId => "client_id",
            Self::AuthorizationKey => "authorization_key",
            Self::AuthorizationValue => "authorization_value",
            Self::AccessTokenKey => "access_token_key",
            Self::AccessTokenValue => "access_token_value",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub at: Moment,
    pub actor: String,
    /// A sentence without its subject: `saved Base URL and Client ID`.
    pub what: String,
    /// More about it, in the words of whoever answered.
    pub detail: Option<String>,
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
