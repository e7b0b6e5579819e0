//! Where a provider is reached, where a secret may be sent, and why a form does not say that.

use serde::{Deserialize, Serialize};

/// Why no client can be made of what the form says; a sentence for the admin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is not a URL")]
    NotUrl(&'static str),
    #[error("An issuer has neither a query nor a fragment: leave out everything from the ? or # on")]
    IssuerWithQuery,
    #[error("There is no provider called {0}")]
    UnknownProvider(String),
    #[error("{0} has no such region: choose one")]
    UnknownRegion(String),
    #[error("{0} has no authorization endpoint, so the authorization code grant is not possible")]
    NoAuthorizationEndpoint(String),
    #[error(
        "The password grant is switched off; whoever runs this server can allow it (IPACK_ALLOW_PASSWORD_GRANT)"
    )]
    PasswordGrantOff,
    #[error(
        "A public client has nothing but PKCE to prove itself with: switch PKCE on, or choose a client authentication"
    )]
    PublicWithoutPkce,
    #[error("This provider takes no request without PKCE: switch it on")]
    PkceRequired,
    #[error(
        "The JWT bearer grant signs with the private key that is sealed here, so no client secret can be sent beside it: choose another client authentication"
    )]
    SecretBesideKey,
    #[error("The parameter {0} is set by iPack Connect itself: delete that row")]
    Reserved(String),
}

/// What a client secret is bound to: where it may be sent, for whom, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Destination {
    pub base_url: String,
    pub client_id: String,
    /// The issuer that is discovered, or the endpoints.
    pub provider: String,
    /// It is a private key, which signs and is sent nowhere.
    pub is_private_key: bool,
}

impl Destination {
    /// What is different now, by the form's labels.
    pub fn changed_to(&self, now: &Self) -> Vec<&'static str> {
        // An issuer that was the Base URL and still is: told once.
        let has_followed = self.provider == self.base_url && now.provider == now.base_url;
        [
            ("Base URL", self.base_url != now.base_url),
            ("Client ID", self.client_id != now.client_id),
            ("Identity provider", self.provider != now.provider && !has_followed),
            ("Client authentication", self.is_private_key != now.is_private_key),
        ]
        .into_iter()
        .filter_map(|(label, is_changed)| is_changed.then_some(label))
        .collect()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoints {
    pub authorization: Option<String>,
    pub token: String,
    pub revocation: Option<String>,
    /// The issuer identifier, where it is known.
    pub issuer: Option<String>,
    /// The metadata announce `iss` in authorization responses (RFC 9207).
    pub announces_issuer: bool,
}
