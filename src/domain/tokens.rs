//! What the form shows of secrets and tokens: never a value of either.
//!
//! Something else to show is a field here, filled in `services::credentials_view`.

use super::{connection_state::Standing, time::Moment};
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
    pub standing: Standing,
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
    /// What was wrong with what the last request wanted with a secret or a token; a sentence.
    pub problem: Option<CredentialProblem>,
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
}

impl ProblemCode {
    const ALL: [Self; 4] = [Self::Empty, Self::TooLong, Self::NotPrivateKey, Self::Obstacle];

    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::NotPrivateKey => "not-a-private-key",
            Self::Obstacle => "obstacle",
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
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialField {
    Secret,
    Password,
    Token,
}

impl CredentialField {
    const ALL: [Self; 3] = [Self::Secret, Self::Password, Self::Token];

    fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Password => "password",
            Self::Token => "token",
        }
    }

    /// Where on the page it is.
    fn place(self) -> &'static str {
        match self {
            Self::Secret | Self::Password => "#credentials",
            Self::Token => "#token",
        }
    }
}

impl CredentialProblem {
    /// The end of an address that tells this problem to a page without JavaScript, in words of ours only: anybody can
    /// write an address.
    pub fn address(&self) -> String {
        format!("?problem={}.{}{}", self.field.name(), self.code.name(), self.field.place())
    }

    /// The problem that such an address tells.
    pub fn told(text: &str) -> Option<Self> {
        let (field, code) = text.split_once('.')?;
        let field = CredentialField::ALL.into_iter().find(|known| known.name() == field)?;
        let code = ProblemCode::ALL.into_iter().find(|known| known.name() == code)?;
        Some(Self { field, code, message: code.message().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_travels_in_an_address_and_nothing_else_does() {
        for field in CredentialField::ALL {
            for code in ProblemCode::ALL {
                let problem = CredentialProblem { field, code, message: code.message().to_owned() };
                let address = problem.address();
                let told = address.trim_start_matches("?problem=").split('#').next().expect("a place");
                assert_eq!(CredentialProblem::told(told), Some(problem));
            }
        }
        for crafted in ["", "secret", "secret.", "secret.<b>", "x.empty", "secret.empty.more"] {
            assert_eq!(CredentialProblem::told(crafted), None, "{crafted}");
        }
    }

    #[test]
    fn s27_a_typed_secret_shows_itself_to_nobody() {
        assert_eq!(format!("{:?}", TypedSecret::new("canary".into())), "TypedSecret");
    }
}
