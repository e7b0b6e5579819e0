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
            // Usually without a scope: the answer has the same as the first one (RFC 6749, section 6).
            Self::Refresh { token } => {
                let redirect_uri =
                    configuration.redirect_uri.as_deref().filter(|_| configuration.redirect_uri_at_refresh);
                let redirect_uri = redirect_uri.map(|uri| ("redirect_uri", plain(uri)));
                let grant = ("grant_type", plain("refresh_token"));
                let token = ("refresh_token", (*token).clone());
                [Some(grant), Some(token), scope.filter(|_| configuration.scope_at_refresh), redirect_uri]
                    .into_iter()
                    .flatten()
                    .collect()
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
                let assertion = sign(key, configuration, claims)?;
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
    let grant = configuration.token_parameters.iter().find(|row| row.key == "grant_type");
    if let (Request::ClientCredentials, Some(grant)) = (request, grant) {
        // Some providers have a name of their own for it.
        parameters[0].1 = grant.value.clone().into();
    }
    let endpoint = &configuration.endpoints.token;
    let (answer, redactor) = post(outbound, configuration, endpoint, parameters, secrets, now).await?;
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
    let parameters = vec![("token", token.clone()), ("token_type_hint", hint.to_owned().into())];
    let configuration =
        Configuration { token_parameters: Vec::new(), json_body: false, ..configuration.clone() };
    let (answer, redactor) = post(outbound, &configuration, endpoint, parameters, secrets, now).await?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(read_refusal(&answer, &redactor, now))
}

/// Posts these parameters, those that prove the client, and the admin's own that the request does not have already.
async fn post(
    outbound: &Outbound,
    configuration: &Configuration,
    endpoint: &str,
    mut parameters: Vec<(&str, SecretString)>,
    secrets: Secrets<'_>,
    now: Timestamp,
) -> Result<(Answer, Redactor), TokenError> {
    let url = Url::parse(endpoint).map_err(|_| TokenError::Endpoint("token endpoint"))?;
    let authentication::ClientCredentials { authorization, parameters: proof } =
        client_credentials(configuration, secrets.client, now)?;
    let rows = &configuration.token_parameters;
    if rows.iter().any(|row| row.key == "scope") {
        // Typed there instead of among the scopes.
        parameters.retain(|(name, _)| *name != "scope");
    }
    parameters.extend(proof);
    let own: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let rows = rows.iter().filter(|row| !own.contains(&&*row.key) && !RESERVED_TOKEN.contains(&&*row.key));
    parameters.extend(rows.map(|row| (row.key.as_str(), row.value.clone().into())));
    let body: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
    let answer = match configuration.json_body {
        true => outbound.post_json(&url, authorization.as_ref(), &body).await?,
        false => outbound.post_form(&url, authorization.as_ref(), &body).await?,
    };
    // Whatever of it comes back is not repeated.
    let credentials = authorization.map(|header| match header.expose_secret().split_once(' ') {
        Some((_, credentials)) => credentials.to_owned().into(),
        None => header,
    });
    let secret_parameters =
        parameters.iter().filter(|(name, _)| SECRET_PARAMETERS.contains(name)).map(|(_, value)| value);
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
