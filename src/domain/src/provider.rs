//! Where a connection gets its tokens, as an admin chooses it: a known provider, one to discover, or explicit
//! endpoints; with which grant, for which scopes, and how the client proves itself.
//!
//! An empty field means: as the provider has it. To add one: a member of [`ProviderChoice`], its field in
//! [`fields`](crate::fields), and what it does in `oauth::configuration`. Another grant is a variant of [`Grant`].

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The choice of a provider that is no preset's id: endpoints given one by one.
pub const ENDPOINTS: &str = "endpoints";

/// How tokens are asked for (RFC 6749, section 1.3; RFC 7523 for JWT bearer).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// As the provider has it; authorization code where it says nothing.
    #[default]
    #[serde(rename = "")]
    AsProvider,
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    Password,
}

/// What is known of a grant.
struct GrantFacts {
    /// As forms and presets write it.
    name: &'static str,
    label: &'static str,
    needs_browser: bool,
    signs_assertion: bool,
    takes_password: bool,
}

impl Grant {
    fn facts(self) -> GrantFacts {
        match self {
            Self::AsProvider => GrantFacts {
                name: "",
                label: "As the provider has it",
                needs_browser: true,
                signs_assertion: false,
                takes_password: false,
            },
            Self::AuthorizationCode => GrantFacts {
                name: "authorization_code",
                label: "Authorization code",
                needs_browser: true,
                signs_assertion: false,
                takes_password: false,
            },
            Self::ClientCredentials => GrantFacts {
                name: "client_credentials",
                label: "Client credentials",
                needs_browser: false,
                signs_assertion: false,
                takes_password: false,
            },
            Self::JwtBearer => GrantFacts {
                name: "jwt_bearer",
                label: "JWT bearer",
                needs_browser: false,
                signs_assertion: true,
                takes_password: false,
            },
            Self::Password => GrantFacts {
                name: "password",
                label: "Resource owner password",
                needs_browser: false,
                signs_assertion: false,
                takes_password: true,
            },
        }
    }

    pub fn name(self) -> &'static str {
        self.facts().name
    }

    pub fn label(self) -> &'static str {
        self.facts().label
    }

    /// A person agrees in a browser. Any other grant gets a new token, without a refresh token too, at once.
    pub fn needs_browser(self) -> bool {
        self.facts().needs_browser
    }

    /// The client signs an assertion with its private key, which proves the client too.
    pub fn signs_assertion(self) -> bool {
        self.facts().signs_assertion
    }

    pub fn takes_password(self) -> bool {
        self.facts().takes_password
    }

    /// The token is for a user who is named beside the client.
    pub fn acts_for_subject(self) -> bool {
        self.signs_assertion() || self.takes_password()
    }

    pub fn parse(name: &str) -> Self {
        Self::VARIANTS.iter().copied().find(|grant| grant.name() == name).unwrap_or_default()
    }
}

/// How the client proves itself at the token endpoint (the names of OpenID Connect's registry).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    #[default]
    #[serde(rename = "")]
    AsProvider,
    ClientSecretBasic,
    /// As RFC 7617 has it: for servers that do not undo the encoding of RFC 6749, section 2.3.1.
    ClientSecretBasicPlain,
    ClientSecretPost,
    PrivateKeyJwt,
    None,
}

impl ClientAuthentication {
    pub fn name(self) -> &'static str {
        match self {
            Self::AsProvider => "",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretBasicPlain => "client_secret_basic_plain",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::AsProvider => "As the provider has it",
            Self::ClientSecretBasic => "Client secret in a Basic header",
            Self::ClientSecretBasicPlain => "Client secret in a Basic header, not form-encoded",
            Self::ClientSecretPost => "Client secret in the request’s body",
            Self::PrivateKeyJwt => "JWT signed with a private key",
            Self::None => "None: a public client with PKCE",
        }
    }

    pub fn parse(name: &str) -> Self {
        Self::VARIANTS.iter().copied().find(|way| way.name() == name).unwrap_or_default()
    }
}

/// How the client signs its JWTs (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
pub enum SigningAlgorithm {
    #[default]
    #[serde(rename = "")]
    OfKey,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl SigningAlgorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::OfKey => "",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    pub fn label(self) -> &'static str {
        if self == Self::OfKey { "The key’s own" } else { self.name() }
    }

    pub fn parse(name: &str) -> Self {
        Self::VARIANTS.iter().copied().find(|one| one.name() == name).unwrap_or_default()
    }

    fn is_of_key(&self) -> bool {
        *self == Self::OfKey
    }
}

/// What an admin can say about a connection's identity provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderChoice {
    /// A preset's id, [`ENDPOINTS`], or empty: discovered.
    pub provider: String,
    /// The id of one of the preset's regions; empty is the first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Where to discover; empty is the Base URL.
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub revocation_endpoint: String,
    pub grant: Grant,
    /// Separated by blanks; empty is the provider's own list.
    pub scopes: String,
    pub client_authentication: ClientAuthentication,
    /// PKCE is on unless somebody switches it off here.
    pub without_pkce: bool,
    /// Whom the token is for: the user name of the password grant, the subject of a JWT bearer assertion.
    pub subject: String,
    /// `kid` of the JWTs that the client signs, where the provider asks for one.
    pub key_id: String,
    /// Audience of the JWT bearer grant's assertion; empty is the token endpoint.
    pub audience: String,
    /// What stands between two scopes; empty is a blank.
    pub scope_separator: String,
    /// The parameter of the redirect that names the company (`realmId`).
    pub company_parameter: String,
    /// Lifetime of access tokens in seconds, or "never", where answers name none.
    pub token_lifetime: String,
    /// How JWTs are signed, where it is not as the key has it.
    #[serde(skip_serializing_if = "SigningAlgorithm::is_of_key")]
    pub algorithm: SigningAlgorithm,
    /// The certificate of the signing key in PEM, or its SHA-256 thumbprint: `x5t#S256` of signed JWTs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
    /// More claims of signed JWTs, a JSON object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub claims: String,
    /// Token requests are JSON, not forms.
    #[serde(skip_serializing_if = "is_off")]
    pub json_body: bool,
    #[serde(skip_serializing_if = "is_off")]
    pub scope_at_refresh: bool,
    #[serde(skip_serializing_if = "is_off")]
    pub redirect_uri_at_refresh: bool,
}

fn is_off(switch: &bool) -> bool {
    !switch
}

impl ProviderChoice {
    pub fn is_discovered(&self) -> bool {
        self.provider.is_empty()
    }

    pub fn has_endpoints(&self) -> bool {
        self.provider == ENDPOINTS
    }

    /// The preset's id, where a preset is chosen.
    pub fn preset(&self) -> Option<&str> {
        (!self.is_discovered() && !self.has_endpoints()).then_some(self.provider.as_str())
    }

    /// What is chosen, for reading; `name` is how a person calls the preset.
    pub fn chosen<'a>(&'a self, name: Option<&'a str>) -> &'a str {
        match self.preset() {
            Some(id) => name.unwrap_or(id),
            None if self.has_endpoints() => "Explicit endpoints",
            None => "Discovered",
        }
    }
}

/// Parameters of an authorization request that are the program's own to set (security: S10).
pub const RESERVED_AUTHORIZATION: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    // RFC 9101: an object or an address of parameters that would count instead of these.
    "request",
    "request_uri",
    // Another one than ours would not come back in the address.
    "response_mode",
];

/// Parameters of a token request that are the program's own to set.
pub const RESERVED_TOKEN: [&str; 9] = [
    "code",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "client_assertion",
    "client_assertion_type",
    "assertion",
    "username",
    "password",
];

/// Parameters that a request may have several times (RFC 8707, section 2).
pub const REPEATABLE: [&str; 2] = ["resource", "audience"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_travel_by_their_names() {
        for grant in Grant::VARIANTS.iter().copied() {
            assert_eq!(serde_json::json!(grant), grant.name());
            assert_eq!(Grant::parse(grant.name()), grant);
        }
        for way in ClientAuthentication::VARIANTS.iter().copied() {
            assert_eq!(serde_json::json!(way), way.name());
            assert_eq!(ClientAuthentication::parse(way.name()), way);
        }
        let empty: ProviderChoice =
            serde_json::from_str(r#"{"grant":"","clientAuthentication":""}"#).expect("empty");
        assert_eq!(empty, ProviderChoice::default());
    }
}
