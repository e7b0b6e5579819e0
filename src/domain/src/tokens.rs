//! What the form shows of secrets and tokens: never a value of either.
//!
//! Something else to show is a field here, filled in `services::credentials_view`.

use crate::{connection_state::StateWithReason, time::Moment};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The form's inputs for secrets, by name: they are never kept, carried or shown.
pub const SECRET_FIELDS: [&str; 2] = ["client_secret", "user_password"];

/// A secret on its way from an input to the vault. It shows itself to nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypedSecret(String);

impl TypedSecret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// The text itself, for sealing and nothing else.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl fmt::Debug for TypedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedSecret")
    }
}

/// One of the form's inputs for secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretField {
    ClientSecret,
    Password,
}

impl SecretField {
    pub const ALL: [Self; 2] = [Self::ClientSecret, Self::Password];

    /// Name and id of the input.
    pub fn input(self) -> &'static str {
        match self {
            Self::ClientSecret => SECRET_FIELDS[0],
            Self::Password => SECRET_FIELDS[1],
        }
    }
}

/// What stands in the form's inputs for secrets.
#[derive(Debug, Clone, Default)]
pub struct TypedSecrets {
    pub client_secret: TypedSecret,
    pub user_password: TypedSecret,
}

impl TypedSecrets {
    pub fn of(&self, field: SecretField) -> &TypedSecret {
        match field {
            SecretField::ClientSecret => &self.client_secret,
            SecretField::Password => &self.user_password,
        }
    }

    pub fn set(&mut self, field: SecretField, secret: TypedSecret) {
        match field {
            SecretField::ClientSecret => self.client_secret = secret,
            SecretField::Password => self.user_password = secret,
        }
    }

    /// The inputs in which something stands.
    pub fn fields(&self) -> impl Iterator<Item = SecretField> + '_ {
        SecretField::ALL.into_iter().filter(|field| !self.of(*field).is_empty())
    }
}

/// Who encrypted a secret, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encrypted {
    pub by: String,
    pub at: Moment,
}

/// The state of the client secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// How far an attempt to get a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    Opening,
    Initializing,
    Succeeded,
    Failed,
}

impl Stage {
    /// The words of the original platform.
    pub fn message(self) -> &'static str {
        match self {
            Self::Opening => "Opening Access Token",
            Self::Initializing => "Initializing OAuth Token",
            Self::Succeeded => "Access Token generation successful",
            Self::Failed => "Error attempting to retrieve OAuth Access token.",
        }
    }

    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// The latest attempt, as the page follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    pub id: String,
    pub stage: Stage,
    pub message: String,
    /// What to do about a failure.
    pub advice: Option<String>,
    /// It goes on in a browser window, to which this address leads; only for who began it.
    pub address: Option<String>,
    pub begun: Moment,
    /// When it runs out by itself; `None` where it is over.
    pub lapses: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    pub by: String,
    pub obtained: Moment,
    /// How old it is, in words.
    pub age: String,
    /// `None` where the provider named no expiry.
    pub expires: Option<Moment>,
    /// How long until then, or since then, in words: `in 5 minutes`, `5 minutes ago`.
    pub remaining: Option<String>,
    /// The provider renews it no more.
    pub is_refused: bool,
    /// When it is renewed next; `None` where that is impossible.
    pub renewal: Option<Moment>,
    pub requested: Vec<String>,
    pub granted: Vec<String>,
    /// Requested, and not granted.
    pub refused: Vec<String>,
    /// The fingerprint of the configuration that it came from.
    pub fingerprint: String,
    /// Labels of what was changed since.
    pub outdated: Vec<String>,
    pub failure: Option<String>,
    /// The company that the provider named, where the form says another one.
    pub other_company: Option<String>,
    pub can_be_revoked: bool,
}

/// A known provider, for the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderOption {
    pub id: String,
    pub name: String,
}

/// What the chosen provider brings along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFacts {
    pub documentation: Option<String>,
    pub note: Option<String>,
    /// What usually is the Base URL.
    pub base_url: Option<String>,
    /// `Grant: Authorization code`, a line each.
    pub lines: Vec<String>,
}

/// Everything about secrets and tokens that the form shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsView {
    /// The state of the connection, as the form is shown.
    pub standing: StateWithReason,
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
    pub providers: Vec<ProviderOption>,
    pub facts: ProviderFacts,
    /// What was wrong with what the last request wanted with secrets and the token.
    pub problems: Vec<CredentialProblem>,
}

/// A refusal beside the field that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialProblem {
    pub field: CredentialField,
    pub code: ProblemCode,
    pub message: String,
}

/// What is wrong with a secret, by a name that an address can carry to a page without JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProblemCode {
    Empty,
    TooLong,
    NotPrivateKey,
    /// The form itself stands in the way, and says why.
    Obstacle,
    /// It came with a request that did not save the form.
    NotSaved,
}

impl ProblemCode {
    const ALL: [Self; 5] = [Self::Empty, Self::TooLong, Self::NotPrivateKey, Self::Obstacle, Self::NotSaved];

    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::NotPrivateKey => "not-a-private-key",
            Self::Obstacle => "obstacle",
            Self::NotSaved => "not-saved",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "Enter the secret first.",
            Self::TooLong => "This is too long for a secret: 16 KiB is the most.",
            Self::NotPrivateKey => {
                "This is no private key. Paste the whole PEM text, from BEGIN PRIVATE KEY to END PRIVATE KEY (PKCS#8)."
            }
            Self::Obstacle => "Something is missing before this can be done.",
            Self::NotSaved => "Not encrypted, because the form was not saved.",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialField {
    Secret(SecretField),
    Token,
}

impl CredentialField {
    const ALL: [Self; 3] =
        [Self::Secret(SecretField::ClientSecret), Self::Secret(SecretField::Password), Self::Token];

    fn name(self) -> &'static str {
        match self {
            Self::Secret(SecretField::ClientSecret) => "secret",
            Self::Secret(SecretField::Password) => "password",
            Self::Token => "token",
        }
    }

    /// The id of the element that it is about.
    pub fn place(self) -> &'static str {
        match self {
            Self::Secret(field) => field.input(),
            Self::Token => "token",
        }
    }
}

impl CredentialProblem {
    pub fn new(field: CredentialField, code: ProblemCode) -> Self {
        Self { field, code, message: code.message().to_owned() }
    }

    /// The form itself stands in the way; a sentence says why.
    pub fn obstacle(field: CredentialField, why: &str) -> Self {
        let message = match field {
            CredentialField::Secret(_) => format!("Not encrypted: {why}"),
            CredentialField::Token => why.to_owned(),
        };
        Self { field, code: ProblemCode::Obstacle, message }
    }

    /// What of an address tells these problems to a page without JavaScript, in words of ours only: anybody can write
    /// an address.
    pub fn query(problems: &[Self]) -> String {
        let names = problems.iter().map(|one| format!("{}.{}", one.field.name(), one.code.name()));
        format!("problem={}", names.collect::<Vec<_>>().join(","))
    }

    /// The problems that such an address tells.
    pub fn told(text: &str) -> Vec<Self> {
        let one = |text: &str| {
            let (field, code) = text.split_once('.')?;
            let field = CredentialField::ALL.into_iter().find(|known| known.name() == field)?;
            let code = ProblemCode::ALL.into_iter().find(|known| known.name() == code)?;
            Some(Self::new(field, code))
        };
        text.split(',').filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_travel_in_an_address_and_nothing_else_does() {
        let all: Vec<_> = CredentialField::ALL
            .into_iter()
            .flat_map(|field| ProblemCode::ALL.map(|code| CredentialProblem::new(field, code)))
            .collect();
        for some in [&all[..], &all[..1], &all[7..9]] {
            let query = CredentialProblem::query(some);
            assert_eq!(CredentialProblem::told(query.trim_start_matches("problem=")), some);
        }
        for crafted in ["", "secret", "secret.", "secret.<b>", "x.empty", "secret.empty.more", ",,", "a,b"] {
            assert_eq!(CredentialProblem::told(crafted), [], "{crafted}");
        }
    }

    #[test]
    fn what_is_blank_is_not_typed() {
        let mut secrets = TypedSecrets::default();
        secrets.set(SecretField::ClientSecret, TypedSecret::new(" \t ".into()));
        assert_eq!(secrets.fields().count(), 0);
        secrets.set(SecretField::Password, TypedSecret::new(" p ".into()));
        assert_eq!(secrets.fields().collect::<Vec<_>>(), [SecretField::Password]);
    }

    #[test]
    fn s27_a_typed_secret_shows_itself_to_nobody() {
        assert_eq!(format!("{:?}", TypedSecret::new("canary".into())), "TypedSecret");
    }
}
