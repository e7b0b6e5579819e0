//! Secrets as they are typed, how far an attempt to get a token is, and what is wrong with either.

use crate::trim::trimmed;
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
        trimmed(&self.0).is_empty()
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
    EncryptedPrivateKey,
    /// It does not sign with the chosen algorithm, or its certificate is none.
    WrongPrivateKey,
    /// The form itself stands in the way, and says why.
    Obstacle,
    /// It came with a request that did not save the form.
    NotSaved,
}

impl ProblemCode {
    const ALL: [Self; 7] = [
        Self::Empty,
        Self::TooLong,
        Self::NotPrivateKey,
        Self::EncryptedPrivateKey,
        Self::WrongPrivateKey,
        Self::Obstacle,
        Self::NotSaved,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::NotPrivateKey => "not-a-private-key",
            Self::EncryptedPrivateKey => "encrypted-private-key",
            Self::WrongPrivateKey => "wrong-private-key",
            Self::Obstacle => "obstacle",
            Self::NotSaved => "not-saved",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "Enter the secret first.",
            Self::TooLong => "This is too long for a secret: 16 KiB is the most.",
            Self::NotPrivateKey => {
                "This is no private key. Paste the whole PEM text, from BEGIN PRIVATE KEY to END PRIVATE KEY."
            }
            Self::EncryptedPrivateKey => {
                "This private key is encrypted with a password. Decrypt it first, as with openssl pkcs8 -topk8 -nocrypt, and paste what comes out."
            }
            Self::WrongPrivateKey => {
                "This private key does not sign as it is configured. Check Signature algorithm and Certificate."
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
