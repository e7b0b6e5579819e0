//! Endpoints from an issuer: OpenID Connect Discovery 1.0 and RFC 8414.

use crate::outbound::{Outbound, OutboundError};
use serde::Deserialize;
use std::time::{Duration, Instant};
use url::Url;

/// After so long no further place is asked: a request to us has its own limit.
const PATIENCE: Duration = Duration::from_secs(15);

/// What an authorization server says of itself, as far as a client needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: String,
    pub revocation_endpoint: Option<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207).
    pub announces_issuer: bool,
    /// `token_endpoint_auth_methods_supported`; empty where they are not named.
    pub client_authentications: Vec<String>,
}

/// Why nothing was discovered; a sentence for the admin.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DiscoveryError {
    #[error("{0} publishes no metadata of an identity provider. Choose the provider, or enter its endpoints")]
    Nothing(String),
    #[error("The metadata of {asked} name another issuer, {found}: they are not believed")]
    OtherIssuer { asked: String, found: String },
    #[error("The metadata of {0} have no token endpoint")]
    NoTokenEndpoint(String),
    #[error("{0} cannot be asked for its metadata: {1}")]
    Unreachable(String, OutboundError),
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// The metadata of the first of the issuers that has any.
///
/// # Errors
/// What the likeliest issuer, the first, had to say.
pub async fn discover(outbound: &Outbound, issuers: &[String]) -> Result<Metadata, DiscoveryError> {
    let deadline = Instant::now() + PATIENCE;
    let mut first_error = None;
    for issuer in issuers.iter().take_while(|_| Instant::now() < deadline) {
        match discover_one(outbound, issuer).await {
            Ok(metadata) => return Ok(metadata),
            // What lies, or cannot be reached at all, is not helped by asking elsewhere.
            Err(error @ (DiscoveryError::OtherIssuer { .. } | DiscoveryError::Unreachable(..))) => {
                return Err(first_error.unwrap_or(error));
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| DiscoveryError::Nothing("Nobody".to_owned())))
}

async fn discover_one(outbound: &Outbound, issuer: &str) -> Result<Metadata, DiscoveryError> {
    let nothing = || DiscoveryError::Nothing(issuer.to_owned());
    for address in well_known(issuer).ok_or_else(nothing)? {
        let answer = match outbound.get_json(&address).await {
            Ok(answer) => answer,
            // Some servers send whoever asks for an unknown page elsewhere.
            Err(OutboundError::Redirected { .. }) => continue,
            Err(error) => return Err(DiscoveryError::Unreachable(issuer.to_owned(), error)),
        };
        if answer.status != 200 {
            continue;
        }
        if let Ok(document) = answer.json::<Document>() {
            return read(issuer, document);
        }
    }
    Err(nothing())
}

/// Where metadata lie: OpenID's place behind the issuer's path, RFC 8414's in front of it.
fn well_known(issuer: &str) -> Option<Vec<Url>> {
    let url = Url::parse(issuer).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        url
    };
    Some(vec![
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ])
}

/// S07: an issuer that differs from the one asked is refused. A slash at its end, which a Base URL may lack, is no
/// difference.
fn read(asked: &str, document: Document) -> Result<Metadata, DiscoveryError> {
    if document.issuer.trim_end_matches('/') != asked.trim_end_matches('/') {
        // Cut, because a stranger chose its length.
        let found = document.issuer.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(DiscoveryError::OtherIssuer { asked: asked.to_owned(), found });
    }
    let token_endpoint =
        document.token_endpoint.ok_or_else(|| DiscoveryError::NoTokenEndpoint(asked.to_owned()))?;
    Ok(Metadata {
        issuer: document.issuer,
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint,
        revocation_endpoint: document.revocation_endpoint,
        announces_issuer: document.authorization_response_iss_parameter_supported,
        client_authentications: document.token_endpoint_auth_methods_supported,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(issuer: &str) -> Document {
        let json = serde_json::json!({"issuer": issuer, "token_endpoint": "https://id.example/t"});
        serde_json::from_value(json).expect("metadata")
    }

    #[test]
    fn metadata_lie_in_two_places() {
        let places = |issuer| -> Vec<String> {
            well_known(issuer).expect("a URL").into_iter().map(String::from).collect()
        };
        assert_eq!(
            places("https://id.example/realms/a/"),
            [
                "https://id.example/realms/a/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/realms/a"
            ]
        );
        assert_eq!(
            places("https://id.example"),
            [
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server"
            ]
        );
    }

    #[test]
    fn s07_another_issuer_than_the_one_asked_is_refused() {
        let fine = ["https://id.example", "https://id.example/"];
        for issuer in fine {
            read("https://id.example", document(issuer)).expect(issuer);
        }
        for issuer in
            ["https://evil.example", "http://id.example", "https://id.example/x", "https://ID.example", ""]
        {
            let refused = read("https://id.example", document(issuer));
            assert!(matches!(refused, Err(DiscoveryError::OtherIssuer { .. })), "{issuer}");
        }
    }
}
