//! From what a form says to what an OAuth client needs: a [`Plan`], and with its endpoints known a
//! [`Configuration`].
//!
//! A plan is made without asking anybody; only a plan that discovers has to. A new quirk of providers is a field of
//! [`Configuration`], filled in [`plan`] from a preset or the form, and used where requests are made.

use super::{
    discovery::Metadata,
    presets::{self, Pkce, Preset},
};
use crate::domain::{
    form::{FormContent, Parameter},
    provider::{ClientAuthentication, Grant, RESERVED_AUTHORIZATION, RESERVED_TOKEN},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

/// Why no client can be made of what the form says; a sentence for the admin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is not a URL")]
    NotUrl(&'static str),
    #[error("There is no provider called {0}")]
    UnknownProvider(String),
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
    #[error("The authorization parameter {0} is set by iPack Connect itself: delete that row")]
    Reserved(String),
}

/// What a client secret is bound to: where it may be sent, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub base_url: String,
    pub client_id: String,
    /// The issuer that is discovered, or the endpoints.
    pub provider: String,
}

impl Destination {
    /// What is different now, by the form's labels.
    pub fn changed_to(&self, now: &Self) -> Vec<&'static str> {
        [
            ("Base URL", self.base_url != now.base_url),
            ("Client ID", self.client_id != now.client_id),
            // A discovered issuer that is the Base URL is told once.
            ("Identity provider", self.provider != now.provider && self.provider != self.base_url),
        ]
        .into_iter()
        .filter_map(|(label, is_changed)| is_changed.then_some(label))
        .collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    pub authorization: Option<String>,
    pub token: String,
    pub revocation: Option<String>,
    /// The issuer identifier, where it is known.
    pub issuer: Option<String>,
    /// The metadata announce `iss` in authorization responses (RFC 9207).
    pub announces_issuer: bool,
}

/// Everything a client needs to get and renew a token, without any secret. It is kept with what was got by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    pub endpoints: Endpoints,
    pub destination: Destination,
    pub client_id: String,
    pub grant: Grant,
    pub authentication: ClientAuthentication,
    pub scopes: Vec<String>,
    pub scope_separator: String,
    pub pkce: bool,
    pub authorization_parameters: Vec<Parameter>,
    pub token_parameters: Vec<Parameter>,
    pub subject: String,
    pub key_id: String,
    /// Lifetime of access tokens where an answer says none.
    pub access_token_seconds: Option<i64>,
    /// The parameter of the redirect that names the company.
    pub company_id_parameter: Option<String>,
    pub company_id: String,
}

impl Configuration {
    pub fn scope(&self) -> String {
        self.scopes.join(&self.scope_separator)
    }
}

/// A configuration whose endpoints may still have to be discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The provider's name in redirect URIs: a preset's id, or host and digest of what is discovered.
    pub slug: String,
    /// How a person calls the provider.
    pub name: String,
    /// Issuers to discover, the likeliest first; empty where the endpoints are known.
    pub issuers: Vec<String>,
    configuration: Configuration,
}

impl Plan {
    pub fn destination(&self) -> &Destination {
        &self.configuration.destination
    }

    pub fn grant(&self) -> Grant {
        self.configuration.grant
    }

    /// Whether a client secret, or a private key, is part of proving the client.
    pub fn needs_secret(&self) -> bool {
        self.configuration.authentication != ClientAuthentication::None
            || self.configuration.grant == Grant::JwtBearer
    }

    pub fn needs_password(&self) -> bool {
        self.configuration.grant == Grant::Password
    }

    /// What is sealed is a private key in PEM, not a shared secret.
    pub fn has_private_key(&self) -> bool {
        self.configuration.authentication == ClientAuthentication::PrivateKeyJwt
            || self.configuration.grant == Grant::JwtBearer
    }

    pub fn scopes(&self) -> &[String] {
        &self.configuration.scopes
    }

    /// The configuration, where nothing has to be discovered.
    pub fn known(&self) -> Option<Configuration> {
        self.issuers.is_empty().then(|| self.configuration.clone())
    }

    /// The configuration with discovered endpoints.
    ///
    /// # Errors
    /// Where the metadata lack an endpoint that the grant needs.
    pub fn with(&self, metadata: Metadata) -> Result<Configuration, ConfigurationError> {
        let mut configuration = self.configuration.clone();
        if configuration.grant == Grant::AuthorizationCode && metadata.authorization_endpoint.is_none() {
            return Err(ConfigurationError::NoAuthorizationEndpoint(metadata.issuer));
        }
        configuration.endpoints = Endpoints {
            authorization: metadata.authorization_endpoint,
            token: metadata.token_endpoint,
            revocation: metadata.revocation_endpoint,
            issuer: Some(metadata.issuer),
            announces_issuer: metadata.announces_issuer,
        };
        Ok(configuration)
    }
}

/// What the operator allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// The resource owner password grant, which RFC 9700 forbids (security: S11).
    pub password_grant: bool,
}

/// # Errors
/// With a sentence for the admin, where no client can be made of this.
pub fn plan(content: &FormContent, allowed: Allowed) -> Result<Plan, ConfigurationError> {
    use ConfigurationError as Error;
    let content = content.tidied();
    let choice = &content.provider;
    let preset = match choice.preset() {
        Some(id) => Some(presets::find(id).ok_or_else(|| Error::UnknownProvider(id.to_owned()))?),
        None => None,
    };
    if content.base_url.is_empty() {
        return Err(Error::Missing("Base URL"));
    }
    if content.client_id.is_empty() {
        return Err(Error::Missing("Client ID"));
    }
    let base_url = content.base_url.trim_end_matches('/').to_owned();
    let grant = match choice.grant {
        Grant::AsProvider => preset.and_then(|preset| preset.grants.first().copied()),
        chosen => Some(chosen),
    };
    let grant = grant.unwrap_or(Grant::AuthorizationCode);
    if grant == Grant::Password && !allowed.password_grant {
        return Err(Error::PasswordGrantOff);
    }
    let authentication = match choice.client_authentication {
        // The assertion is the proof.
        ClientAuthentication::AsProvider if grant == Grant::JwtBearer => ClientAuthentication::None,
        ClientAuthentication::AsProvider => {
            preset.map_or(ClientAuthentication::ClientSecretBasic, |preset| preset.client_authentication)
        }
        chosen => chosen,
    };
    let is_pkce_known = preset.is_none_or(|preset| preset.pkce != Pkce::Unsupported);
    let pkce = is_pkce_known && !choice.without_pkce;
    if grant == Grant::AuthorizationCode && authentication == ClientAuthentication::None && !pkce {
        return Err(Error::PublicWithoutPkce);
    }
    let endpoints = match preset {
        Some(preset) => preset_endpoints(preset, &base_url, &content.company_id)?,
        None => Endpoints {
            authorization: some(&choice.authorization_endpoint),
            token: choice.token_endpoint.clone(),
            revocation: some(&choice.revocation_endpoint),
            issuer: None,
            announces_issuer: false,
        },
    };
    let is_discovered = choice.is_discovered();
    if !is_discovered {
        if endpoints.token.is_empty() {
            return Err(Error::Missing("The token endpoint"));
        }
        if grant == Grant::AuthorizationCode && endpoints.authorization.is_none() {
            let name = preset.map_or("The provider", |preset| preset.name.as_str());
            return Err(Error::NoAuthorizationEndpoint(name.to_owned()));
        }
    }
    let issuers =
        if is_discovered { issuers(some(&choice.issuer).as_deref(), &base_url)? } else { Vec::new() };
    // What the secret is bound to, and what tells providers apart.
    let provider = match issuers.first() {
        Some(issuer) => issuer.clone(),
        None => format!("{} {}", endpoints.authorization.as_deref().unwrap_or("-"), endpoints.token),
    };
    let slug = match preset {
        Some(preset) => preset.id.clone(),
        None => slug(issuers.first().map_or(&endpoints.token, |issuer| issuer), &provider),
    };
    let scopes: Vec<String> = match (choice.scopes.is_empty(), preset) {
        (true, Some(preset)) => preset.scopes.clone(),
        _ => choice.scopes.split_whitespace().map(str::to_owned).collect(),
    };
    Ok(Plan {
        slug,
        name: preset.map_or_else(|| host_of(&provider), |preset| preset.name.clone()),
        configuration: Configuration {
            destination: Destination { base_url, client_id: content.client_id.clone(), provider },
            endpoints,
            client_id: content.client_id,
            grant,
            authentication,
            scopes,
            scope_separator: preset.map_or_else(|| " ".to_owned(), |preset| preset.scope_separator.clone()),
            pkce,
            authorization_parameters: with_defaults(
                content.authorization,
                preset.map(|preset| &preset.authorization_parameters),
            ),
            token_parameters: with_defaults(
                content.access_token,
                preset.map(|preset| &preset.token_parameters),
            ),
            subject: choice.subject.clone(),
            key_id: choice.key_id.clone(),
            access_token_seconds: preset.and_then(|preset| preset.access_token_seconds),
            company_id_parameter: preset.and_then(|preset| preset.company_id.clone()),
            company_id: content.company_id,
        },
        issuers,
    })
}

/// The parameters of a request that are not ours to send, by their keys.
pub fn collisions(content: &FormContent) -> (Vec<String>, Vec<String>) {
    let found = |rows: &[Parameter], reserved: &[&str]| {
        let keys = rows.iter().map(|row| row.key.trim());
        keys.filter(|key| reserved.contains(key)).map(str::to_owned).collect()
    };
    (found(&content.authorization, &RESERVED_AUTHORIZATION), found(&content.access_token, &RESERVED_TOKEN))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn preset_endpoints(
    preset: &Preset,
    base_url: &str,
    company_id: &str,
) -> Result<Endpoints, ConfigurationError> {
    let company_id = if company_id.is_empty() {
        preset.company_id_default.as_deref().unwrap_or_default()
    } else {
        company_id
    };
    let fill = |template: &String| {
        if template.contains("{company_id}") && company_id.is_empty() {
            return Err(ConfigurationError::Missing(
                "Company ID, which is part of the provider’s addresses,",
            ));
        }
        // In one host label or path segment, whatever somebody typed.
        let company_id: String = url::form_urlencoded::byte_serialize(company_id.as_bytes()).collect();
        Ok(template.replace("{base_url}", base_url).replace("{company_id}", &company_id))
    };
    Ok(Endpoints {
        authorization: preset.authorization_endpoint.as_ref().map(fill).transpose()?,
        token: fill(&preset.token_endpoint)?,
        revocation: preset.revocation_endpoint.as_ref().map(fill).transpose()?,
        issuer: preset.issuer.as_ref().map(fill).transpose()?,
        announces_issuer: false,
    })
}

/// Where to look for metadata: what was given, or the Base URL and then its origin.
fn issuers(given: Option<&str>, base_url: &str) -> Result<Vec<String>, ConfigurationError> {
    if let Some(issuer) = given {
        Url::parse(issuer).map_err(|_| ConfigurationError::NotUrl("The issuer"))?;
        return Ok(vec![issuer.to_owned()]);
    }
    let url = Url::parse(base_url).map_err(|_| ConfigurationError::NotUrl("Base URL"))?;
    let origin = url.origin().ascii_serialization();
    let mut issuers = vec![base_url.to_owned()];
    if origin != base_url && url.path() != "/" {
        issuers.push(origin);
    }
    Ok(issuers)
}

fn host_of(address: &str) -> String {
    let url = address.split(' ').filter_map(|part| Url::parse(part).ok()).next();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// Host and digest: readable, and another one for another provider on the same host.
fn slug(address: &str, provider: &str) -> String {
    let digest: String = Sha256::digest(provider)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let host = host_of(address).replace(['[', ']', ':'], "-");
    format!("{}-{digest}", host.trim_matches('-'))
}

/// The admin's rows, and those of the provider's own that they leave as they are.
fn with_defaults(
    rows: Vec<Parameter>,
    defaults: Option<&std::collections::BTreeMap<String, String>>,
) -> Vec<Parameter> {
    let missing: Vec<Parameter> = defaults
        .into_iter()
        .flatten()
        .filter(|(key, _)| rows.iter().all(|row| row.key != **key))
        .map(|(key, value)| Parameter::new(key, value))
        .collect();
    rows.into_iter().chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::provider::{ENDPOINTS, ProviderChoice};

    fn content(base_url: &str, provider: ProviderChoice) -> FormContent {
        FormContent {
            base_url: base_url.into(),
            client_id: "client".into(),
            provider,
            ..FormContent::default()
        }
    }

    fn planned(content: &FormContent) -> Plan {
        plan(content, Allowed::default()).expect("a plan")
    }

    #[test]
    fn a_connection_first_met_discovers_from_its_base_url_with_code_and_pkce() {
        let plan = planned(&content("https://api.example.com/v3/", ProviderChoice::default()));
        assert_eq!(plan.issuers, ["https://api.example.com/v3", "https://api.example.com"]);
        assert_eq!((plan.grant(), plan.configuration.pkce), (Grant::AuthorizationCode, true));
        assert!(plan.known().is_none() && plan.slug.starts_with("api.example.com-"), "{}", plan.slug);
    }

    #[test]
    fn s05_two_providers_on_one_host_have_two_slugs() {
        let one = planned(&content("https://id.example.com/realms/a", ProviderChoice::default()));
        let two = planned(&content("https://id.example.com/realms/b", ProviderChoice::default()));
        assert_ne!(one.slug, two.slug);
    }

    #[test]
    fn a_preset_brings_its_endpoints_and_what_the_admin_typed_outranks_it() {
        let choice = ProviderChoice { provider: "quickbooks-online".into(), ..ProviderChoice::default() };
        let mut form = content("https://quickbooks.api.intuit.com", choice);
        let preset = presets::find("quickbooks-online").expect("it is there");
        let configuration = planned(&form).known().expect("nothing to discover");
        assert_eq!(configuration.endpoints.token, preset.token_endpoint);
        assert_eq!(configuration.scopes, preset.scopes);
        form.provider.scopes = "one two".into();
        assert_eq!(planned(&form).scopes(), ["one", "two"]);
    }

    #[test]
    fn s11_the_password_grant_is_off_unless_the_operator_allows_it() {
        let form =
            content("https://a.example", ProviderChoice { grant: Grant::Password, ..Default::default() });
        assert_eq!(plan(&form, Allowed::default()), Err(ConfigurationError::PasswordGrantOff));
        plan(&form, Allowed { password_grant: true }).expect("allowed");
    }

    #[test]
    fn a_company_id_stays_in_its_place() {
        let choice = ProviderChoice { provider: "netsuite".into(), ..ProviderChoice::default() };
        let mut form = content("https://x.example", choice);
        assert!(matches!(plan(&form, Allowed::default()), Err(ConfigurationError::Missing(_))));
        form.company_id = "evil.example/?".into();
        let token = planned(&form).known().expect("known").endpoints.token;
        let host = Url::parse(&token).map(|url| url.host_str().map(str::to_owned));
        // Refused as a host, or still under the provider's domain.
        assert!(
            host.is_err() || host.is_ok_and(|host| host.is_some_and(|host| host.ends_with(".netsuite.com")))
        );
    }

    #[test]
    fn s09_base_url_client_and_endpoints_are_what_a_secret_is_bound_to() {
        let endpoints = ProviderChoice {
            provider: ENDPOINTS.into(),
            authorization_endpoint: "https://id.example/a".into(),
            token_endpoint: "https://id.example/t".into(),
            ..ProviderChoice::default()
        };
        let form = content("https://a.example", endpoints);
        let bound = planned(&form).destination().clone();
        let after = |change: &dyn Fn(&mut FormContent)| {
            let mut form = form.clone();
            change(&mut form);
            bound.changed_to(planned(&form).destination())
        };
        assert_eq!(after(&|form| form.company_id = "new".into()), [""; 0]);
        assert_eq!(after(&|form| form.base_url = "https://b.example".into()), ["Base URL"]);
        assert_eq!(after(&|form| form.client_id = "new".into()), ["Client ID"]);
        assert_eq!(
            after(&|form| form.provider.token_endpoint = "https://b.example/t".into()),
            ["Identity provider"]
        );
        assert_eq!(after(&|form| form.base_url = "https://a.example/".into()), [""; 0]);
    }
}
