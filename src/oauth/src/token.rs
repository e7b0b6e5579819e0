//! The token endpoint and the revocation endpoint: what is sent to them (RFC 6749 sections 4 to 6, RFC 7009, RFC 7523).
//! What the answers mean is read in [`token_answer`](crate::token_answer).
//!
//! Another grant is a variant of [`Request`] with its parameters in [`Request::parameters`].

use crate::{
    advice::Redactor,
    authentication::{self, ClientCredentialsError, claims, client_credentials, sign},
    configuration::Configuration,
    outbound::{Answer, Outbound},
    token_answer::{Granted, TokenError, read_answer, read_refusal},
};
use ipack_domain::{provider::RESERVED_TOKEN, time::Timestamp};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// What a token is asked for with.
pub enum Request<'a> {
    Code { code: &'a SecretString, redirect_uri: &'a str, verifier: Option<&'a SecretString> },
    Refresh { token: &'a SecretString },
    ClientCredentials,
    JwtBearer,
    Password { password: &'a SecretString },
}

/// Secrets a request is made with.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// The client secret, or its private key.
    pub client: Option<&'a SecretString>,
}

impl Request<'_> {
    fn parameters(
        &self,
        configuration: &Configuration,
        secrets: Secrets<'_>,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, SecretString)>, ClientCredentialsError> {
        let plain = |text: &str| SecretString::from(text.to_owned());
        let scope = (!configuration.scopes.is_empty()).then(|| ("scope", configuration.scope().into()));
        Ok(match self {
            Self::Code { code, redirect_uri, verifier } => {
                let mut parameters = vec![
                    ("grant_type", plain("authorization_code")),
                    ("code", (*code).clone()),
                    ("redirect_uri", plain(redirect_uri)),
                ];
                parameters.extend(verifier.map(|verifier| ("code_verifier", verifier.clone())));
                parameters
            }
            // Without a scope: the answer has the same as the first one (RFC 6749, section 6).
            Self::Refresh { token } => {
                vec![("grant_type", plain("refresh_token")), ("refresh_token", (*token).clone())]
            }
            Self::ClientCredentials => {
                let grant = ("grant_type", plain("client_credentials"));
                [Some(grant), scope].into_iter().flatten().collect()
            }
            Self::JwtBearer => {
                let subject = if configuration.subject.is_empty() {
                    &configuration.client_id
                } else {
                    &configuration.subject
                };
                let audience = configuration.audience.as_deref().unwrap_or(&configuration.endpoints.token);
                let mut claims = claims(&configuration.client_id, subject, audience, now);
                // Some providers (Google) read it from the assertion, others from the request.
                if !configuration.scopes.is_empty() {
                    claims["scope"] = configuration.scope().into();
                }
                let key = secrets.client.ok_or(ClientCredentialsError::NoSecret)?;
                let assertion = sign(key, &configuration.key_id, &claims)?;
                let grant = ("grant_type", plain("urn:ietf:params:oauth:grant-type:jwt-bearer"));
                [Some(grant), Some(("assertion", assertion)), scope].into_iter().flatten().collect()
            }
            Self::Password { password } => {
                let user = ("username", plain(&configuration.subject));
                let grant = ("grant_type", plain("password"));
                [Some(grant), Some(user), Some(("password", (*password).clone())), scope]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        })
    }
}

/// Asks for a token.
///
/// # Errors
/// With what the provider said, without any secret in it, even where the provider repeats one.
pub async fn request(
    outbound: &Outbound,
    configuration: &Configuration,
    request: &Request<'_>,
    secrets: Secrets<'_>,
    now: Timestamp,
) -> Result<Granted, TokenError> {
    let mut parameters = request.parameters(configuration, secrets, now)?;
    for row in &configuration.token_parameters {
        if !RESERVED_TOKEN.contains(&row.key.as_str()) {
            parameters.push((row.key.as_str(), row.value.clone().into()));
        }
    }
    let endpoint = &configuration.endpoints.token;
    let (answer, redactor) = post(outbound, configuration, endpoint, &parameters, secrets, now).await?;
    read_answer(&answer, &redactor, now)
}

/// Revokes a token (RFC 7009): a refresh token where there is one, which takes the access token with it.
///
/// # Errors
/// With what the provider said.
pub async fn revoke(
    outbound: &Outbound,
    configuration: &Configuration,
    endpoint: &str,
    token: &SecretString,
    is_refresh_token: bool,
    secrets: Secrets<'_>,
    now: Timestamp,
) -> Result<(), TokenError> {
    let hint = if is_refresh_token { "refresh_token" } else { "access_token" };
    let parameters = [("token", token.clone()), ("token_type_hint", hint.to_owned().into())];
    let (answer, redactor) = post(outbound, configuration, endpoint, &parameters, secrets, now).await?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(read_refusal(&answer, &redactor, now))
}

async fn post(
    outbound: &Outbound,
    configuration: &Configuration,
    endpoint: &str,
    parameters: &[(&str, SecretString)],
    secrets: Secrets<'_>,
    now: Timestamp,
) -> Result<(Answer, Redactor), TokenError> {
    let url = Url::parse(endpoint).map_err(|_| TokenError::Endpoint("token endpoint"))?;
    let authentication::ClientCredentials { authorization, parameters: proof } =
        client_credentials(configuration, secrets.client, now)?;
    let form: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (*name, value.expose_secret()))
        .chain(proof.iter().map(|(name, value)| (*name, value.expose_secret())))
        .collect();
    let answer = outbound.post_form(&url, authorization.as_ref(), &form).await?;
    // Whatever of it comes back is not repeated.
    let credentials = authorization.map(|header| match header.expose_secret().split_once(' ') {
        Some((_, credentials)) => credentials.to_owned().into(),
        None => header,
    });
    let secret_parameters = parameters
        .iter()
        .map(|(name, value)| (*name, value))
        .chain(proof.iter().map(|(name, value)| (*name, value)))
        .filter(|(name, _)| SECRET_PARAMETERS.contains(name))
        .map(|(_, value)| value);
    let redactor = Redactor::new(secret_parameters.chain(secrets.client).chain(&credentials));
    Ok((answer, redactor))
}

/// Parameters of requests that are secrets.
const SECRET_PARAMETERS: [&str; 8] = [
    "code",
    "code_verifier",
    "refresh_token",
    "client_secret",
    "client_assertion",
    "assertion",
    "password",
    "token",
];
