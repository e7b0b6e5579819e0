//! What the pages show: the answers of the server functions, ready to be read.
//!
//! Moments come as text, made on the server, so that both halves render the same.

use ipack_domain::{
    catalogue::{Classification, Environment, Named},
    connection_state::StateWithReason,
    form_place::Cause,
    ids::ConnectionKey,
    parts::Part,
    post::{Base, Outcome},
    preflight::Check,
    suggestions::Suggestion,
    time::Moment,
    tokens::{CredentialProblem, Stage},
};
use serde::{Deserialize, Serialize};

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

/// One connection in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionLine {
    pub key: ConnectionKey,
    pub connection_name: String,
    pub process_name: String,
    pub environment_name: String,
    /// `None` where it uses no OAuth.
    pub state: Option<StateWithReason>,
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
    /// Where their next page starts, if there is one.
    pub next_environments: Option<String>,
    /// Environments of the Space that the instance is not attached to.
    pub attachable: Vec<Environment>,
    /// Where their next page starts, if there is one.
    pub next_attachable: Option<String>,
    pub processes: Vec<Named>,
    /// Chosen by the address, or the only one there is.
    pub environment: Option<String>,
    pub process: Option<String>,
    /// Connections of the chosen process in the chosen environment, what needs somebody first.
    pub connections: Vec<ConnectionLine>,
    /// Where their next page starts, if there is one.
    pub next: Option<String>,
}

// ── the connector form, of which the browser's half gets a [`FormView`](crate::form::view::FormView) ──

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorView {
    pub key: ConnectionKey,
    pub names: ConnectorNames,
    /// Its content is the draft if there is one, else the saved details, else the connection's defaults.
    pub base: Base,
    /// A save was attempted: everything that stands in its way is said.
    pub attempted: bool,
    /// What is saved lacks these.
    pub missing: Vec<Part>,
    pub saved: Option<Saved>,
    /// There is a draft, kept at this moment.
    pub draft: Option<Moment>,
    pub conflict: Option<Conflict>,
    /// Other environments of the instance where something else is saved.
    pub others: OthersThatDiffer,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub by: String,
    pub at: Moment,
}

/// Somebody saved since this draft was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub by: String,
    /// It was this admin, on another page or for every environment.
    pub by_me: bool,
    pub at: Moment,
    /// The version that the choices are about; they no longer count once there is a newer one.
    pub version: i64,
    pub parts: Vec<ConflictPart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPart {
    pub part: Part,
    /// The value's lines, for reading.
    pub saved: Vec<String>,
    pub mine: Vec<String>,
    pub prefer_mine: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OthersThatDiffer {
    pub names: Vec<String>,
    /// How many more there may be.
    pub more: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub at: Moment,
    pub actor: String,
    /// A sentence without its subject: `saved Base URL and Client ID`.
    pub what: String,
    /// More about it, in the words of whoever answered.
    pub detail: Option<String>,
}

// ── the form's secrets and token: never a value of either ──

/// Everything about secrets and tokens that the form shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsView {
    /// The state of the connection, as the form is shown.
    pub state: StateWithReason,
    /// `None` until the form says where tokens come from.
    pub redirect_uri: Option<String>,
    pub secret: SecretState,
    pub replacement: Option<Encrypted>,
    pub password: SecretState,
    pub needs_secret: bool,
    pub needs_password: bool,
    /// The grant names whom the token is for.
    pub acts_for_subject: bool,
    /// The secret is a private key in PEM.
    pub has_private_key: bool,
    /// The operator allows the password grant.
    pub allows_password: bool,
    /// A person signs in at the provider, in a window.
    pub has_window: bool,
    /// Why no token can be generated yet; a sentence.
    pub obstacle: Option<String>,
    pub token: Option<TokenView>,
    /// Until the token is over; `None` where it is, or never will be. Apart from the token, which changes less often.
    pub seconds_left: Option<u32>,
    pub attempt: Option<AttemptView>,
    pub facts: ProviderFacts,
    /// What was wrong with what the last request wanted with secrets and the token.
    pub problems: Vec<CredentialProblem>,
}

/// Who encrypted a secret, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    pub by: String,
    pub at: Moment,
}

/// The state of the client secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretState {
    Missing,
    Encrypted(Encrypted),
    /// It was encrypted for another destination, and is not sent to this one.
    Unbound {
        encrypted: Encrypted,
        /// Labels of what is different now.
        changed: Vec<String>,
    },
}

/// The latest attempt, as the page follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    pub id: String,
    pub stage: Stage,
    pub message: String,
    /// Of a failure, the likeliest first.
    pub causes: Vec<Cause>,
    /// It goes on in a browser window, to which this address leads; only for who began it.
    pub address: Option<String>,
    /// When it runs out by itself; `None` where it is over.
    pub lapses: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    pub by: String,
    pub obtained: Moment,
    /// How old it is, in words.
    pub age: String,
    /// `None` where the provider named no expiry.
    pub expires: Option<Moment>,
    /// How long until then, or since then, in words: `in 5 minutes`, `5 minutes ago`.
    pub remaining: Option<String>,
    /// The provider refreshes it no more.
    pub is_refused: bool,
    /// When it is refreshed next; `None` where that is impossible.
    pub refresh: Option<Moment>,
    pub requested: Vec<String>,
    pub granted: Vec<String>,
    /// Requested, and not granted.
    pub refused: Vec<String>,
    /// The fingerprint of the configuration that it came from.
    pub fingerprint: String,
    /// Labels of what was changed since.
    pub outdated: Vec<String>,
    /// Of the last refresh's failure, the likeliest first.
    pub causes: Vec<Cause>,
    /// The company that the provider named, where the form says another one.
    pub other_company: Option<String>,
    pub can_be_revoked: bool,
    /// What came beside it, a line each; of a secret, its name.
    pub extra: Vec<String>,
}

/// A known provider, or a region of one, for its menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderOption {
    pub id: String,
    pub name: String,
}

/// What the chosen provider brings along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderFacts {
    pub documentation: Option<String>,
    pub note: Option<String>,
    /// What usually is the Base URL.
    pub base_url: Option<String>,
    /// `Grant: Authorization code`, a line each.
    pub lines: Vec<String>,
    /// The page where an application is registered, and what is to be done there.
    pub registration: Option<(String, Vec<String>)>,
    pub regions: Vec<ProviderOption>,
    /// The names of the grants that it can do.
    pub grants: Vec<String>,
    /// What the provider itself calls a field, by the id of its input.
    pub words: Vec<(String, String)>,
}

// ── preflight ──

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
