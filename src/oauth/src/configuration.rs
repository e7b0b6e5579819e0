//! From what a form says to what an OAuth client needs: a [`RequestedConfiguration`], and with its endpoints known a
//! [`Configuration`].
//!
//! The first is made without asking anybody; only where endpoints are discovered is somebody asked. A new quirk of
//! providers is a field of [`Configuration`], filled in [`requested_configuration`] from a preset or the form, and used
//! where requests are made.

use crate::{
    authentication::{ClientCredentialsError, claims, sign},
    discovery::Metadata,
    endpoints::{ConfigurationError, Destination, Endpoints},
    presets::{Pkce, Preset},
    provider::{ResolvedProvider, resolve_provider, some},
};
use ipack_domain::{
    form::{FormContent, Parameter},
    provider::{ClientAuthentication, Grant, ProviderChoice, RESERVED_AUTHORIZATION, SigningAlgorithm},
    time::Timestamp,
    trim::{split_scopes, trimmed},
    validation::not_for_a_token_request,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Everything a client needs to get and refresh a token, without any secret. It is kept with what was got by it, so a
/// field that is added later has a default for what was kept before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The id of the preset that was chosen; empty for none.
    pub preset: String,
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
    /// Audience of the JWTs that the client signs; the token endpoint where there is none.
    pub audience: Option<String>,
    /// Lifetime of access tokens where an answer says none.
    pub access_token_seconds: Option<i64>,
    /// The admin said so; without seconds, that tokens never expire. Otherwise it is what the provider is known for.
    pub lifetime_is_chosen: bool,
    /// The parameter of the redirect that names the company.
    pub company_id_parameter: Option<String>,
    /// How JWTs are signed, and what they say besides.
    pub signing: Signing,
    pub json_body: bool,
    pub scope_at_refresh: bool,
    pub redirect_uri_at_refresh: bool,
    /// The one that an authorization code was asked for with.
    pub redirect_uri: Option<String>,
}

/// How a client signs its JWTs, where they need something special.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signing {
    pub algorithm: SigningAlgorithm,
    /// In PEM, or its SHA-256 thumbprint.
    pub certificate: String,
    /// A JSON object; empty where there are none.
    pub claims: String,
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
    /// Neither the admin nor a preset says how the client proves itself: the metadata do.
    follows_metadata: bool,
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
            || self.configuration.grant.signs_assertion()
    }

    pub fn needs_password(&self) -> bool {
        self.configuration.grant.takes_password()
    }

    /// Whether this text signs as the configuration wants it.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check_private_key(
        &self,
        text: &SecretString,
        now: Timestamp,
    ) -> Result<(), ClientCredentialsError> {
        sign(text, &self.configuration, claims("", "", "", now)).map(drop)
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
        if configuration.grant.needs_browser() && metadata.authorization_endpoint.is_none() {
            return Err(ConfigurationError::NoAuthorizationEndpoint(metadata.issuer));
        }
        let offers = |way: &str| metadata.client_authentications.iter().any(|offered| offered == way);
        if self.follows_metadata && offers("client_secret_post") && !offers("client_secret_basic") {
            configuration.authentication = ClientAuthentication::ClientSecretPost;
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
    if content.base_url.is_empty() {
        return Err(Error::Missing("Base URL"));
    }
    if content.client_id.is_empty() {
        return Err(Error::Missing("Client ID"));
    }
    let provider = resolve_provider(&content)?;
    // Taken apart, so that a setting that nothing is done with does not compile.
    let ProviderChoice {
        // Read by `resolve_provider`.
        provider: _,
        region: _,
        issuer: _,
        authorization_endpoint: _,
        token_endpoint: _,
        revocation_endpoint: _,
        grant: chosen_grant,
        scopes: chosen_scopes,
        client_authentication,
        without_pkce,
        subject,
        key_id,
        audience: chosen_audience,
        scope_separator,
        company_parameter,
        token_lifetime,
        algorithm,
        certificate,
        claims,
        json_body,
        scope_at_refresh,
        redirect_uri_at_refresh,
    } = content.provider;
    let preset = provider.preset;
    let grant = match chosen_grant {
        Grant::AsProvider => preset.and_then(|preset| preset.grants.first().copied()),
        chosen => Some(chosen),
    };
    let grant = grant.unwrap_or(Grant::AuthorizationCode);
    if grant.takes_password() && !allowed.password_grant {
        return Err(Error::PasswordGrantOff);
    }
    let authentication = authentication(client_authentication, preset, grant)?;
    let pkce = pkce(without_pkce, preset, grant, authentication)?;
    let endpoints = provider.endpoints.clone().unwrap_or_default();
    if provider.issuers.is_empty() && grant.needs_browser() && endpoints.authorization.is_none() {
        return Err(Error::NoAuthorizationEndpoint(provider.name));
    }
    let scopes: Vec<String> = match (chosen_scopes.is_empty(), preset) {
        (true, Some(preset)) => preset.scopes.clone(),
        _ => split_scopes(&chosen_scopes).map(str::to_owned).collect(),
    };
    let separator = some(&scope_separator).or_else(|| preset.map(|preset| preset.scope_separator.clone()));
    let usual_audience = preset.and_then(|preset| preset.assertion_audience.clone());
    let audience = some(&chosen_audience).or_else(|| usual_audience.filter(|_| grant.signs_assertion()));
    let lifetime_is_chosen = !token_lifetime.is_empty();
    let usual_seconds = preset.and_then(|preset| preset.access_token_seconds);
    let company = some(&company_parameter).or_else(|| preset.and_then(|preset| preset.company_id.clone()));
    let is_private_key = authentication == ClientAuthentication::PrivateKeyJwt || grant.signs_assertion();
    Ok(RequestedConfiguration {
        follows_metadata: client_authentication == ClientAuthentication::AsProvider
            && preset.is_none()
            && !grant.signs_assertion(),
        configuration: Configuration {
            preset: preset.map(|preset| preset.id.clone()).unwrap_or_default(),
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
            subject,
            key_id,
            audience,
            access_token_seconds: match lifetime_is_chosen {
                true => token_lifetime.parse().ok(),
                false => usual_seconds,
            },
            lifetime_is_chosen,
            signing: Signing { algorithm, certificate, claims },
            json_body,
            scope_at_refresh,
            redirect_uri_at_refresh,
            redirect_uri: None,
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
        Way::AsProvider if grant.signs_assertion() => Ok(Way::None),
        // One sealed value cannot be both a private key and a secret that is sent.
        Way::ClientSecretBasic | Way::ClientSecretBasicPlain | Way::ClientSecretPost
            if grant.signs_assertion() =>
        {
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
    if !grant.needs_browser() || pkce {
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
    let keys = |rows: &[Parameter], collides: &dyn Fn(&Parameter) -> bool| {
        rows.iter().filter(|row| collides(row)).map(|row| trimmed(&row.key).to_owned()).collect()
    };
    let authorization =
        keys(&content.authorization, &|row| RESERVED_AUTHORIZATION.contains(&trimmed(&row.key)));
    (authorization, keys(&content.access_token, &|row| not_for_a_token_request(content, row).is_some()))
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
#[path = "configuration_tests.rs"]
mod tests;
