//! Known providers: facts from `presets.toml`, which says how to add one.
//!
//! A new fact about providers is a field of [`Preset`], explained at the top of the file, and checked in this file's
//! tests where it can be wrong.

use ipack_domain::provider::{ClientAuthentication, Grant};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// Whether a provider supports PKCE (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pkce {
    Required,
    Supported,
    /// Not documented, and harmless: unknown parameters are ignored (RFC 6749, section 3.1).
    Unsupported,
    /// The provider does not take requests with it.
    Refused,
}

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    Rotates,
    Keeps,
    /// There are no refresh tokens.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revocation {
    Rfc7009,
    None,
}

/// What is known of a provider. Lifetimes are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Stands in redirect URIs, so it never changes.
    pub id: String,
    pub name: String,
    /// The page that the facts are from.
    pub documentation: String,
    #[serde(default)]
    pub issuer: Option<String>,
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: String,
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    pub scopes: Vec<String>,
    #[serde(default = "blank")]
    pub scope_separator: String,
    pub pkce: Pkce,
    pub client_authentication: ClientAuthentication,
    /// The first is what a connection uses where nothing else is chosen.
    pub grants: Vec<Grant>,
    /// Audience of the JWT bearer grant's assertion; the token endpoint where there is none.
    #[serde(default)]
    pub assertion_audience: Option<String>,
    pub refresh: Refresh,
    #[serde(default)]
    pub access_token_seconds: Option<i64>,
    #[serde(default)]
    pub refresh_token_seconds: Option<i64>,
    pub revocation: Revocation,
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub token_parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub base_urls: Vec<String>,
    /// The parameter of the redirect that fills Company ID.
    #[serde(default)]
    pub company_id: Option<String>,
    #[serde(default)]
    pub company_id_label: Option<String>,
    /// Stands in where Company ID is empty.
    #[serde(default)]
    pub company_id_default: Option<String>,
    #[serde(default)]
    pub note: Option<String>,
}

impl Preset {
    /// Its endpoints lie where the customer's own instance does.
    pub fn is_on_the_customers_host(&self) -> bool {
        self.token_endpoint.contains("{base_url}")
    }
}

fn blank() -> String {
    " ".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Vec<Preset>,
}

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("presets.toml")).expect("a test reads this very file");
    file.provider
});

/// Every preset, in the order of the file.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

pub fn find(id: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipack_domain::provider::{ENDPOINTS, RESERVED_AUTHORIZATION, RESERVED_TOKEN};
    use std::collections::HashSet;
    use url::Url;

    /// A template with its placeholders filled, as a URL.
    fn filled(template: &str) -> Url {
        let text = template.replace("{base_url}", "https://tenant.example.com").replace("{company_id}", "42");
        assert!(!text.contains(['{', '}']), "an unknown placeholder: {template}");
        Url::parse(&text).unwrap_or_else(|error| panic!("{template}: {error}"))
    }

    #[test]
    fn there_are_at_least_forty_and_quickbooks_comes_first_with_its_sandbox() {
        assert!(all().len() >= 40, "{}", all().len());
        assert!(all()[..2].iter().all(|preset| preset.id.starts_with("quickbooks-online")));
        for name in [
            "salesforce",
            "netsuite",
            "hubspot",
            "xero",
            "shopify",
            "microsoft",
            "google",
            "slack",
            "dynamics",
            "zendesk",
            "servicenow",
            "stripe",
        ] {
            assert!(all().iter().any(|preset| preset.id.contains(name)), "{name}");
        }
    }

    #[test]
    fn ids_are_words_that_a_path_can_hold_and_each_is_there_once() {
        let mut seen = HashSet::new();
        for preset in all() {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(!preset.id.is_empty() && preset.id.bytes().all(is_word), "{}", preset.id);
            assert!(seen.insert(&preset.id) && preset.id != ENDPOINTS, "{}", preset.id);
            assert!(!preset.name.trim().is_empty(), "{}", preset.id);
        }
    }

    #[test]
    fn every_address_is_https_and_every_fact_has_its_page() {
        for preset in all() {
            let id = &preset.id;
            assert_eq!(filled(&preset.documentation).scheme(), "https", "{id}");
            let endpoints = [
                Some(&preset.token_endpoint),
                preset.authorization_endpoint.as_ref(),
                preset.revocation_endpoint.as_ref(),
                preset.issuer.as_ref(),
            ];
            for endpoint in endpoints.into_iter().flatten() {
                let url = filled(endpoint);
                assert!(url.scheme() == "https" && url.fragment().is_none(), "{id}: {endpoint}");
            }
        }
    }

    #[test]
    fn facts_agree_with_each_other() {
        for preset in all() {
            let id = &preset.id;
            assert!(!preset.grants.is_empty() && !preset.grants.contains(&Grant::AsProvider), "{id}");
            let has_pages = preset.grants.contains(&Grant::AuthorizationCode);
            assert_eq!(preset.authorization_endpoint.is_some(), has_pages, "{id}: authorization endpoint");
            assert_ne!(preset.client_authentication, ClientAuthentication::AsProvider, "{id}");
            assert_eq!(
                preset.revocation == Revocation::Rfc7009,
                preset.revocation_endpoint.is_some(),
                "{id}: revocation"
            );
            for seconds in [preset.access_token_seconds, preset.refresh_token_seconds].into_iter().flatten() {
                assert!(seconds > 0, "{id}: a lifetime");
            }
            let signs = preset.grants.contains(&Grant::JwtBearer);
            assert!(signs || preset.assertion_audience.is_none(), "{id}: an audience");
            for key in preset.authorization_parameters.keys() {
                assert!(!RESERVED_AUTHORIZATION.contains(&key.as_str()), "{id}: {key}");
            }
            for key in preset.token_parameters.keys() {
                assert!(!RESERVED_TOKEN.contains(&key.as_str()), "{id}: {key}");
            }
            for scope in &preset.scopes {
                let separator = preset.scope_separator.as_str();
                assert!(!scope.contains(char::is_whitespace) && !scope.contains(separator), "{id}: {scope}");
            }
        }
    }
}
