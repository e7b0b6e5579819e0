//! From what a form says to what an OAuth client needs: a [`RequestedConfiguration`], and with its endpoints known a
//! [`Configuration`].
//!
//! The first is made without asking anybody; only where endpoints are discovered is somebody asked. A new quirk of
//! providers is a field of [`Configuration`], filled in [`requested_configuration`] from a preset or the form, and used
//! where requests are made.

use crate::{
    discovery::Metadata,
    endpoints::{ConfigurationError, Destination, Endpoints},
    presets::{Pkce, Preset},
    provider::{ResolvedProvider, resolve_provider, some},
};
use ipack_domain::{
    form::{FormContent, Parameter},
    provider::{ClientAuthentication, Grant, RESERVED_AUTHORIZATION, RESERVED_TOKEN},
};
use serde::{Deserialize, Serialize};

/// Everything a client needs to get and refresh a token, without any secret. It is kept with what was got by it, so a
/// field that is added later has a default for what was kept before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Audience of the JWT bearer grant's assertion; the token endpoint where there is none.
    pub audience: Option<String>,
    /// Lifetime of access tokens where an answer says none.
    pub access_token_seconds: Option<i64>,
    /// The admin said so; without seconds, that tokens never expire. Otherwise it is what the provider is known for.
    pub lifetime_is_chosen: bool,
    /// The parameter of the redirect that names the company.
    pub company_id_parameter: Option<String>,
}

impl Configuration {
    pub fn scope(&self) -> String {
        self.scopes.join(&self.scope_separator)
    }
}

/// A configuration whose endpoints may still have to be discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedConfiguration {
    pub provider: ResolvedProvider,
    configuration: Configuration,
}

impl RequestedConfiguration {
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
        self.configuration.destination.is_private_key
    }

    /// The configuration, where nothing has to be discovered.
    pub fn known(&self) -> Option<Configuration> {
        self.provider.issuers.is_empty().then(|| self.configuration.clone())
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
pub fn requested_configuration(
    content: &FormContent,
    allowed: Allowed,
) -> Result<RequestedConfiguration, ConfigurationError> {
    use ConfigurationError as Error;
    let content = content.tidied();
    let choice = &content.provider;
    if content.base_url.is_empty() {
        return Err(Error::Missing("Base URL"));
    }
    if content.client_id.is_empty() {
        return Err(Error::Missing("Client ID"));
    }
    let provider = resolve_provider(&content)?;
    let preset = provider.preset;
    let grant = match choice.grant {
        Grant::AsProvider => preset.and_then(|preset| preset.grants.first().copied()),
        chosen => Some(chosen),
    };
    let grant = grant.unwrap_or(Grant::AuthorizationCode);
    if grant == Grant::Password && !allowed.password_grant {
        return Err(Error::PasswordGrantOff);
    }
    let authentication = authentication(choice.client_authentication, preset, grant)?;
    let pkce = pkce(choice.without_pkce, preset, grant, authentication)?;
    let endpoints = provider.endpoints.clone().unwrap_or_default();
    if provider.issuers.is_empty() && grant == Grant::AuthorizationCode && endpoints.authorization.is_none() {
        return Err(Error::NoAuthorizationEndpoint(provider.name));
    }
    let scopes: Vec<String> = match (choice.scopes.is_empty(), preset) {
        (true, Some(preset)) => preset.scopes.clone(),
        _ => choice.scopes.split_whitespace().map(str::to_owned).collect(),
    };
    let separator =
        some(&choice.scope_separator).or_else(|| preset.map(|preset| preset.scope_separator.clone()));
    let audience =
        some(&choice.audience).or_else(|| preset.and_then(|preset| preset.assertion_audience.clone()));
    let lifetime_is_chosen = !choice.token_lifetime.is_empty();
    let usual_seconds = preset.and_then(|preset| preset.access_token_seconds);
    let company =
        some(&choice.company_parameter).or_else(|| preset.and_then(|preset| preset.company_id.clone()));
    let is_private_key = authentication == ClientAuthentication::PrivateKeyJwt || grant == Grant::JwtBearer;
    Ok(RequestedConfiguration {
        configuration: Configuration {
            destination: Destination {
                base_url: content.base_url.trim_end_matches('/').to_owned(),
                client_id: content.client_id.clone(),
                provider: provider.identity.clone(),
                is_private_key,
            },
            endpoints,
            client_id: content.client_id,
            grant,
            authentication,
            scopes,
            scope_separator: separator.unwrap_or_else(|| " ".to_owned()),
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
            audience,
            access_token_seconds: match lifetime_is_chosen {
                true => choice.token_lifetime.parse().ok(),
                false => usual_seconds,
            },
            lifetime_is_chosen,
            company_id_parameter: company,
        },
        provider,
    })
}

fn authentication(
    chosen: ClientAuthentication,
    preset: Option<&Preset>,
    grant: Grant,
) -> Result<ClientAuthentication, ConfigurationError> {
    use ClientAuthentication as Way;
    match chosen {
        // The assertion is the proof.
        Way::AsProvider if grant == Grant::JwtBearer => Ok(Way::None),
        // One sealed value cannot be both a private key and a secret that is sent.
        Way::ClientSecretBasic | Way::ClientSecretPost if grant == Grant::JwtBearer => {
            Err(ConfigurationError::SecretBesideKey)
        }
        Way::AsProvider => Ok(preset.map_or(Way::ClientSecretBasic, |preset| preset.client_authentication)),
        chosen => Ok(chosen),
    }
}

/// PKCE is on unless the admin switched it off (security: S03), or the provider refuses it.
fn pkce(
    is_switched_off: bool,
    preset: Option<&Preset>,
    grant: Grant,
    authentication: ClientAuthentication,
) -> Result<bool, ConfigurationError> {
    let known = preset.map(|preset| preset.pkce);
    let pkce = !is_switched_off && known != Some(Pkce::Refused);
    if grant != Grant::AuthorizationCode || pkce {
        return Ok(pkce);
    }
    if authentication == ClientAuthentication::None {
        return Err(ConfigurationError::PublicWithoutPkce);
    }
    if known == Some(Pkce::Required) {
        return Err(ConfigurationError::PkceRequired);
    }
    Ok(pkce)
}

/// The parameters of a request that are not ours to send, by their keys.
pub fn collisions(content: &FormContent) -> (Vec<String>, Vec<String>) {
    let found = |rows: &[Parameter], reserved: &[&str]| {
        let keys = rows.iter().map(|row| row.key.trim());
        keys.filter(|key| reserved.contains(key)).map(str::to_owned).collect()
    };
    (found(&content.authorization, &RESERVED_AUTHORIZATION), found(&content.access_token, &RESERVED_TOKEN))
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
    use crate::presets;
    use ipack_domain::provider::{ENDPOINTS, ProviderChoice};

    fn content(base_url: &str, provider: ProviderChoice) -> FormContent {
        FormContent {
            base_url: base_url.into(),
            client_id: "client".into(),
            provider,
            ..FormContent::default()
        }
    }

    fn planned(content: &FormContent) -> RequestedConfiguration {
        requested_configuration(content, Allowed::default()).expect("a plan")
    }

    #[test]
    fn a_connection_first_met_discovers_from_its_base_url_with_code_and_pkce() {
        let plan = planned(&content("https://api.example.com/v3/", ProviderChoice::default()));
        assert_eq!(plan.provider.issuers, ["https://api.example.com/v3", "https://api.example.com"]);
        assert_eq!((plan.grant(), plan.configuration.pkce), (Grant::AuthorizationCode, true));
        let slug = &plan.provider.slug;
        assert!(plan.known().is_none() && slug.starts_with("api.example.com-"), "{slug}");
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
        assert_eq!(planned(&form).configuration.scopes, ["one", "two"]);
    }

    #[test]
    fn s02_pkce_is_on_unless_it_is_switched_off_or_refused() {
        let chosen = |provider: &str, without_pkce| {
            let choice = ProviderChoice { provider: provider.into(), without_pkce, ..Default::default() };
            let form = FormContent { company_id: "1".into(), ..content("https://a.example", choice) };
            requested_configuration(&form, Allowed::default()).map(|plan| plan.configuration.pkce)
        };
        for preset in presets::all().iter().filter(|preset| preset.grants[0] == Grant::AuthorizationCode) {
            assert_eq!(chosen(&preset.id, false), Ok(preset.pkce != Pkce::Refused), "{}", preset.id);
            let off = chosen(&preset.id, true);
            let is_required = preset.pkce == Pkce::Required;
            assert_eq!(off.is_err(), is_required, "{}: {off:?}", preset.id);
        }
    }

    #[test]
    fn a_private_key_is_never_a_client_secret() {
        for way in [ClientAuthentication::ClientSecretBasic, ClientAuthentication::ClientSecretPost] {
            let choice =
                ProviderChoice { grant: Grant::JwtBearer, client_authentication: way, ..Default::default() };
            let refused = requested_configuration(&content("https://a.example", choice), Allowed::default());
            assert_eq!(refused, Err(ConfigurationError::SecretBesideKey));
        }
    }

    #[test]
    fn what_was_kept_by_an_earlier_version_can_be_read() {
        let kept: Configuration =
            serde_json::from_str(r#"{"client_id":"c"}"#).expect("every field has a default");
        assert_eq!(kept.client_id, "c");
        let _: Destination = serde_json::from_str("{}").expect("every field has a default");
    }

    #[test]
    fn s11_the_password_grant_is_off_unless_the_operator_allows_it() {
        let form =
            content("https://a.example", ProviderChoice { grant: Grant::Password, ..Default::default() });
        assert_eq!(
            requested_configuration(&form, Allowed::default()),
            Err(ConfigurationError::PasswordGrantOff)
        );
        requested_configuration(&form, Allowed { password_grant: true }).expect("allowed");
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
        let evil = "https://b.example/r";
        assert_eq!(after(&|form| form.provider.revocation_endpoint = evil.into()), ["Identity provider"]);
        let signed = ClientAuthentication::PrivateKeyJwt;
        assert_eq!(after(&|form| form.provider.client_authentication = signed), ["Client authentication"]);
        assert_eq!(after(&|form| form.base_url = "https://a.example/".into()), [""; 0]);

        let discovered = |base_url: &str, issuer: &str| {
            let provider = ProviderChoice { issuer: issuer.into(), ..ProviderChoice::default() };
            planned(&content(base_url, provider)).destination().clone()
        };
        let bound = discovered("https://a.example", "");
        assert_eq!(bound.changed_to(&discovered("https://b.example", "")), ["Base URL"]);
        let evil = "https://evil.example";
        assert_eq!(bound.changed_to(&discovered("https://a.example", evil)), ["Identity provider"]);
    }
}
