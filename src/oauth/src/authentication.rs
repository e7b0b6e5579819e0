//! How a client proves itself to a token endpoint, and the JWTs it signs for that (RFC 6749 section 2.3, RFC 7523).

use crate::{
    configuration::{Configuration, Signing},
    private_key::{self, Pem},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ipack_domain::{
    effects::random_bytes,
    provider::{ClientAuthentication, SigningAlgorithm},
    time::Timestamp,
};
use jsonwebtoken::Header;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded::byte_serialize;

/// Seconds that a signed JWT is good for, and how much earlier it says that it was made: clocks differ a little.
const LIFETIME: i64 = 300;
const BACKDATED: i64 = 10;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientCredentialsError {
    #[error("There is no client secret")]
    NoSecret,
    #[error(
        "What was encrypted as client secret is not a private key: paste the whole PEM text, from BEGIN PRIVATE KEY to END PRIVATE KEY (RSA, P-256, P-384 or Ed25519)"
    )]
    NotPrivateKey,
    #[error(
        "The private key is encrypted with a password: decrypt it first, as with openssl pkcs8 -topk8 -nocrypt"
    )]
    EncryptedPrivateKey,
    #[error("The private key does not sign with {0}: choose another signature algorithm")]
    Algorithm(&'static str),
    #[error("The certificate is neither a certificate in PEM nor a SHA-256 thumbprint")]
    Certificate,
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
        ClientAuthentication::AsProvider
        | ClientAuthentication::ClientSecretBasic
        | ClientAuthentication::ClientSecretBasicPlain => {
            let secret = secret.ok_or(ClientCredentialsError::NoSecret)?;
            let encode: fn(&str) -> String = match configuration.authentication {
                ClientAuthentication::ClientSecretBasicPlain => str::to_owned,
                _ => |text| byte_serialize(text.as_bytes()).collect(),
            };
            ClientCredentials {
                authorization: Some(basic(&configuration.client_id, secret, encode)),
                parameters: Vec::new(),
            }
        }
        ClientAuthentication::ClientSecretPost => ClientCredentials {
            authorization: None,
            parameters: vec![
                client_id,
                ("client_secret", secret.ok_or(ClientCredentialsError::NoSecret)?.clone()),
            ],
        },
        ClientAuthentication::PrivateKeyJwt => {
            let id = &configuration.client_id;
            // Beside a JWT bearer assertion, the audience that is chosen is that one's.
            let audience =
                configuration.audience.as_deref().filter(|_| !configuration.grant.signs_assertion());
            let audience = audience.unwrap_or(&configuration.endpoints.token);
            let claims = claims(id, id, audience, now);
            let jwt = sign(secret.ok_or(ClientCredentialsError::NoSecret)?, configuration, claims)?;
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
/// letters beyond ASCII arrive (security: S13); not so for servers that do not undo it.
fn basic(client_id: &str, secret: &SecretString, encode: fn(&str) -> String) -> SecretString {
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(pair)).into()
}

/// The claims of RFC 7523, section 3.
pub fn claims(issuer: &str, subject: &str, audience: &str, now: Timestamp) -> Value {
    let id = hex::encode(random_bytes::<16>());
    let issued = now.seconds();
    serde_json::json!({
        "iss": issuer, "sub": subject, "aud": audience, "jti": id, "iat": issued - BACKDATED,
        "exp": issued + LIFETIME,
    })
}

/// Signs claims, and those that the configuration adds, with a private key in PEM.
///
/// # Errors
/// Where the text is no private key, or not one for the chosen algorithm; where the certificate is none.
pub fn sign(
    pem: &SecretString,
    configuration: &Configuration,
    mut claims: Value,
) -> Result<SecretString, ClientCredentialsError> {
    let Signing { algorithm: chosen, certificate, claims: more } = &configuration.signing;
    if let (Some(claims), Ok(Value::Object(more))) = (claims.as_object_mut(), serde_json::from_str(more)) {
        claims.extend(more);
    }
    let thumbprint = match certificate.is_empty() {
        true => None,
        false => Some(thumbprint(certificate).ok_or(ClientCredentialsError::Certificate)?),
    };
    let key_id = &configuration.key_id;
    for (algorithm, key) in private_key::read(pem)? {
        if *chosen != SigningAlgorithm::OfKey && format!("{algorithm:?}") != chosen.name() {
            continue;
        }
        let mut header = Header::new(algorithm);
        header.kid = (!key_id.is_empty()).then(|| key_id.clone());
        header.x5t_s256.clone_from(&thumbprint);
        if let Ok(jwt) = jsonwebtoken::encode(&header, &claims, &key) {
            return Ok(jwt.into());
        }
    }
    Err(match chosen {
        SigningAlgorithm::OfKey => ClientCredentialsError::NotPrivateKey,
        chosen => ClientCredentialsError::Algorithm(chosen.name()),
    })
}

/// `x5t#S256` (RFC 7515, section 4.1.8) of a certificate in PEM; a thumbprint in hexadecimal or Base64 as it is.
fn thumbprint(certificate: &str) -> Option<String> {
    let hash: Vec<u8> = if certificate.contains("-----BEGIN ") {
        let der =
            STANDARD.decode(Pem::find(certificate).filter(|pem| pem.label == "CERTIFICATE")?.body).ok()?;
        Sha256::digest(der).to_vec()
    } else {
        let plain: String = certificate.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let base64 = plain.replace('+', "-").replace('/', "_");
        hex::decode(&plain).ok().or_else(|| URL_SAFE_NO_PAD.decode(base64.trim_end_matches('=')).ok())?
    };
    (hash.len() == 32).then(|| URL_SAFE_NO_PAD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A key made for this test alone.
    const EC_KEY: &str = include_str!("../test-data/ec_key.pem");
    /// Another, of 2,048 bits.
    const RSA_KEY: &str = include_str!("../test-data/rsa_key.pem");

    fn encoded(text: &str) -> String {
        byte_serialize(text.as_bytes()).collect()
    }

    #[test]
    fn s13_basic_credentials_are_right_with_colon_percent_and_letters_beyond_ascii() {
        let header = basic("a:b c", &"p%ä+&=".to_owned().into(), encoded);
        let encoded = header.expose_secret().strip_prefix("Basic ").expect("Basic");
        let pair = String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("ASCII");
        assert_eq!(pair, "a%3Ab+c:p%25%C3%A4%2B%26%3D");
    }

    proptest! {
        #[test]
        fn s13_basic_credentials_come_back_whatever_they_are(id in ".{0,20}", secret in ".{0,40}") {
            let header = basic(&id, &secret.clone().into(), encoded);
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
    fn basic_credentials_go_as_they_are_where_that_is_chosen() {
        let header = basic("me", &"a+/=:% b".to_owned().into(), str::to_owned);
        let encoded = header.expose_secret().strip_prefix("Basic ").expect("Basic");
        assert_eq!(STANDARD.decode(encoded).expect("base64"), b"me:a+/=:% b");
    }

    fn signed_with(pem: &str, signing: Signing) -> Result<jsonwebtoken::Header, ClientCredentialsError> {
        let configuration = Configuration { key_id: "key-1".into(), signing, ..Configuration::default() };
        let claims = claims("me", "me", "https://id.example/token", Timestamp(0));
        let jwt = sign(&pem.to_owned().into(), &configuration, claims)?;
        Ok(jsonwebtoken::decode_header(jwt.expose_secret()).expect("a JWT"))
    }

    #[test]
    fn the_algorithm_is_the_keys_own_or_the_chosen_one() {
        let header = signed_with(EC_KEY, Signing::default()).expect("it signs");
        assert_eq!((header.alg, header.kid.as_deref()), (jsonwebtoken::Algorithm::ES256, Some("key-1")));
        for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::PS256, SigningAlgorithm::PS512] {
            let header = signed_with(RSA_KEY, Signing { algorithm, ..Signing::default() }).expect("it signs");
            assert_eq!(format!("{:?}", header.alg), algorithm.name());
        }
        let wrong = Signing { algorithm: SigningAlgorithm::PS256, ..Signing::default() };
        assert_eq!(signed_with(EC_KEY, wrong).err(), Some(ClientCredentialsError::Algorithm("PS256")));
    }

    #[test]
    fn a_certificate_is_named_by_its_thumbprint_however_it_is_written() {
        let hash = Sha256::digest(b"certificate");
        let expected = URL_SAFE_NO_PAD.encode(hash);
        let pem =
            format!("-----BEGIN CERTIFICATE-----{}-----END CERTIFICATE-----", STANDARD.encode("certificate"));
        let colons: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        for certificate in [pem, hex::encode(hash), colons.join(":"), STANDARD.encode(hash), expected.clone()]
        {
            let header =
                signed_with(EC_KEY, Signing { certificate, ..Signing::default() }).expect("it signs");
            assert_eq!(header.x5t_s256.as_ref(), Some(&expected));
        }
        for certificate in ["abc", "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"] {
            let signing = Signing { certificate: certificate.into(), ..Signing::default() };
            assert_eq!(signed_with(EC_KEY, signing).err(), Some(ClientCredentialsError::Certificate));
        }
    }

    #[test]
    fn more_claims_are_signed_beside_those_of_the_rfc() {
        let signing = Signing { claims: r#"{"scope":["a"],"sub":"you"}"#.into(), ..Signing::default() };
        let configuration = Configuration { signing, ..Configuration::default() };
        let jwt = sign(&EC_KEY.to_owned().into(), &configuration, claims("me", "me", "there", Timestamp(0)));
        let jwt = jwt.expect("it signs");
        let payload = jwt.expose_secret().split('.').nth(1).expect("three parts").to_owned();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("Base64")).expect("JSON");
        assert_eq!(
            (&claims["scope"][0], &claims["sub"], &claims["iss"]),
            (&"a".into(), &"you".into(), &"me".into())
        );
        assert!(claims["iat"].as_i64() < Some(0), "clocks differ a little");
    }
}
