//! How a client proves itself to a token endpoint, and the JWTs it signs for that (RFC 6749 section 2.3, RFC 7523).

use crate::configuration::Configuration;
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_domain::{effects::random_bytes, provider::ClientAuthentication, time::Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::byte_serialize;

/// Seconds that a signed JWT is good for.
const LIFETIME: i64 = 300;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientCredentialsError {
    #[error("There is no client secret")]
    NoSecret,
    #[error(
        "What was encrypted as client secret is not a private key: paste the whole PEM text, from BEGIN PRIVATE KEY to END PRIVATE KEY (PKCS#8; RSA, P-256, P-384 or Ed25519)"
    )]
    NotPrivateKey,
}

/// What a request carries to prove the client: parameters of its body, or a header.
#[derive(Debug, Default)]
pub struct ClientCredentials {
    pub authorization: Option<SecretString>,
    pub parameters: Vec<(&'static str, SecretString)>,
}

/// # Errors
/// Where the secret is missing or of the wrong kind.
pub fn client_credentials(
    configuration: &Configuration,
    secret: Option<&SecretString>,
    now: Timestamp,
) -> Result<ClientCredentials, ClientCredentialsError> {
    let client_id = ("client_id", SecretString::from(configuration.client_id.clone()));
    Ok(match configuration.authentication {
        ClientAuthentication::AsProvider | ClientAuthentication::ClientSecretBasic => ClientCredentials {
            authorization: Some(basic(
                &configuration.client_id,
                secret.ok_or(ClientCredentialsError::NoSecret)?,
            )),
            parameters: Vec::new(),
        },
        ClientAuthentication::ClientSecretPost => ClientCredentials {
            authorization: None,
            parameters: vec![
                client_id,
                ("client_secret", secret.ok_or(ClientCredentialsError::NoSecret)?.clone()),
            ],
        },
        ClientAuthentication::PrivateKeyJwt => {
            let audience = configuration.endpoints.token.as_str();
            let claims = claims(&configuration.client_id, &configuration.client_id, audience, now);
            let jwt = sign(secret.ok_or(ClientCredentialsError::NoSecret)?, &configuration.key_id, &claims)?;
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
            ClientCredentials {
                authorization: None,
                parameters: vec![
                    client_id,
                    ("client_assertion_type", kind.into()),
                    ("client_assertion", jwt),
                ],
            }
        }
        ClientAuthentication::None => ClientCredentials { authorization: None, parameters: vec![client_id] },
    })
}

/// RFC 6749, section 2.3.1: both are form-encoded before they are put together, so that a colon, a percent sign and
/// letters beyond ASCII arrive (security: S13).
fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(pair)).into()
}

/// The claims of RFC 7523, section 3.
pub fn claims(issuer: &str, subject: &str, audience: &str, now: Timestamp) -> serde_json::Value {
    let id = hex::encode(random_bytes::<16>());
    let issued = now.seconds();
    serde_json::json!({
        "iss": issuer, "sub": subject, "aud": audience, "jti": id, "iat": issued, "exp": issued + LIFETIME,
    })
}

/// Signs claims with a private key in PEM. The algorithm is the key's own.
///
/// # Errors
/// Where the text is no private key.
pub fn sign(
    pem: &SecretString,
    key_id: &str,
    claims: &serde_json::Value,
) -> Result<SecretString, ClientCredentialsError> {
    let pem =
        SecretString::from(whole_lines(pem.expose_secret()).ok_or(ClientCredentialsError::NotPrivateKey)?);
    let bytes = pem.expose_secret().as_bytes();
    let candidates = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem(bytes)),
        (Algorithm::ES256, EncodingKey::from_ec_pem(bytes)),
        (Algorithm::ES384, EncodingKey::from_ec_pem(bytes)),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(bytes)),
    ];
    for (algorithm, key) in candidates {
        let Ok(key) = key else { continue };
        let mut header = Header::new(algorithm);
        header.kid = (!key_id.is_empty()).then(|| key_id.to_owned());
        if let Ok(jwt) = jsonwebtoken::encode(&header, claims, &key) {
            return Ok(jwt.into());
        }
    }
    Err(ClientCredentialsError::NotPrivateKey)
}

/// A field of one line drops the line breaks of what is pasted into it; PEM needs them.
fn whole_lines(text: &str) -> Option<String> {
    let begin = text.find("-----BEGIN ")?;
    let (label, rest) = text[begin + 11..].split_once("-----")?;
    let end = format!("-----END {label}-----");
    let body: String = rest.split_once(&end)?.0.split_whitespace().collect();
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Some(format!("-----BEGIN {label}-----\n{}\n{end}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A key made for this test alone.
    const EC_KEY: &str = include_str!("../test-data/ec_key.pem");

    #[test]
    fn s13_basic_credentials_are_right_with_colon_percent_and_letters_beyond_ascii() {
        let header = basic("a:b c", &"p%ä+&=".to_owned().into());
        let encoded = header.expose_secret().strip_prefix("Basic ").expect("Basic");
        let pair = String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("ASCII");
        assert_eq!(pair, "a%3Ab+c:p%25%C3%A4%2B%26%3D");
    }

    proptest! {
        #[test]
        fn s13_basic_credentials_come_back_whatever_they_are(id in ".{0,20}", secret in ".{0,40}") {
            let header = basic(&id, &secret.clone().into());
            let encoded = header.expose_secret().strip_prefix("Basic ").expect("Basic").to_owned();
            let pair = String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("ASCII");
            let (left, right) = pair.split_once(':').expect("one colon");
            let decode = |text: &str| {
                url::form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned())
            };
            prop_assert_eq!(decode(left), Some(id));
            prop_assert_eq!(decode(right), Some(secret));
        }
    }

    #[test]
    fn a_private_key_signs_even_when_its_line_breaks_are_gone() {
        let claims = claims("me", "me", "https://id.example/token", Timestamp(0));
        for pem in [EC_KEY.to_owned(), EC_KEY.replace('\n', ""), EC_KEY.replace('\n', " ")] {
            let jwt = sign(&pem.into(), "key-1", &claims).expect("it signs");
            let header = jsonwebtoken::decode_header(jwt.expose_secret()).expect("a JWT");
            assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::ES256, Some("key-1")));
        }
        for bad in ["", "hush", "-----BEGIN PRIVATE KEY-----", "-----BEGIN X-----AAAA-----END X-----"] {
            assert!(
                matches!(
                    sign(&bad.to_owned().into(), "", &claims),
                    Err(ClientCredentialsError::NotPrivateKey)
                ),
                "{bad}"
            );
        }
    }
}
