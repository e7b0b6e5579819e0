//! JWTs of the API, and those that tell a browser which somebody has signed in with: HMAC-SHA-256, one issuer, an audience
//! for each of the two.
//!
//! Expiry is checked against the program's own clock and without leeway; the library's would add a minute.

use crate::access::Client;
use ipack_domain::{effects::random_bytes, rights::Rights, time::Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const LIFETIME_SECONDS: i64 = 300;
const ISSUER: &str = "ipack-connect";
const AUDIENCE: &str = "ipack-connect/graphql";
const BROWSER_AUDIENCE: &str = "ipack-connect/browser";

/// Signs and checks; the same on every replica.
pub struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    browser_validation: Validation,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The API token's username.
    sub: String,
    account: String,
    name: String,
    /// Rights by name, with blanks between them (RFC 9068).
    #[serde(default = "all_rights")]
    scope: String,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct BrowserClaims {
    iss: String,
    aud: String,
    /// The id of the admin who signed in.
    sub: Uuid,
    exp: i64,
}

/// Of this issuer for this audience; when it expires is checked apart.
fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    validation
}

/// Of a JWT that a version without rights signed: what every token might do then. Reading access tokens is asked of the
/// database in any case.
fn all_rights() -> String {
    scope(&Rights::all())
}

fn scope(rights: &Rights) -> String {
    rights.names().join(" ")
}

impl SigningKey {
    pub fn random() -> [u8; 32] {
        random_bytes()
    }

    pub fn new(secret: &[u8]) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation: validation(AUDIENCE),
            browser_validation: validation(BROWSER_AUDIENCE),
        }
    }

    /// A JWT that ends with what it is made with, where that ends before.
    pub fn sign(
        &self,
        client: &Client,
        ends: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let lifetime = now.seconds() + LIFETIME_SECONDS;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: client.username.clone(),
            account: client.account.clone(),
            name: client.name.clone(),
            scope: scope(&client.rights),
            iat: now.seconds(),
            exp: ends.map_or(lifetime, |at| lifetime.min(at.seconds())),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// The client that a JWT was made for, and whether it is still valid.
    pub fn read(&self, jwt: &str, now: Timestamp) -> Option<(Client, bool)> {
        let claims = jsonwebtoken::decode::<Claims>(jwt, &self.decoding, &self.validation).ok()?.claims;
        let client = Client {
            account: claims.account,
            name: claims.name,
            username: claims.sub,
            rights: Rights::of_known(&claims.scope.replace(' ', ",")),
        };
        Some((client, claims.exp > now.seconds()))
    }

    /// The client a valid JWT stands for.
    #[cfg(test)]
    fn check(&self, jwt: &str, now: Timestamp) -> Option<Client> {
        self.read(jwt, now).filter(|(_, is_valid)| *is_valid).map(|(client, _)| client)
    }

    /// What a browser keeps to show later that this admin signed in with it. It lets nobody in.
    pub fn sign_browser(
        &self,
        admin: Uuid,
        expires_at: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let (iss, aud, exp) = (ISSUER.into(), BROWSER_AUDIENCE.into(), expires_at.seconds());
        let claims = BrowserClaims { iss, aud, sub: admin, exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// The admin who signed in with a browser, and until when it is known.
    pub fn check_browser(&self, jwt: &str, now: Timestamp) -> Option<(Uuid, i64)> {
        let claims = jsonwebtoken::decode::<BrowserClaims>(jwt, &self.decoding, &self.browser_validation);
        let claims = claims.ok()?.claims;
        (claims.exp > now.seconds()).then_some((claims.sub, claims.exp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use ipack_domain::rights::Right;

    const NOW: Timestamp = Timestamp(1_795_457_108_000_000);

    fn client() -> Client {
        Client {
            account: "a".into(),
            name: "n".into(),
            username: "BOOMI_TOKEN.n".into(),
            rights: Rights::usual(),
        }
    }

    fn key() -> SigningKey {
        SigningKey::new(&[7; 32])
    }

    fn signed(header: &Header, claims: &serde_json::Value, secret: &[u8]) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).expect("signs")
    }

    #[test]
    fn s29_a_jwt_lives_for_300_seconds() {
        let jwt = key().sign(&client(), None, NOW).expect("signs");
        assert_eq!(key().check(&jwt, NOW), Some(client()));
        assert_eq!(key().check(&jwt, NOW.plus_seconds(299)), Some(client()));
        assert_eq!(key().check(&jwt, NOW.plus_seconds(300)), None);
    }

    #[test]
    fn a_jwt_ends_with_its_token_and_has_its_rights() {
        let reader = Client { rights: Rights::default().with(Right::TokensRead), ..client() };
        for (ends, last) in [(Some(100), 99), (Some(1_000), 299), (None, 299)] {
            let ends = ends.map(|seconds| NOW.plus_seconds(seconds));
            let jwt = key().sign(&reader, ends, NOW).expect("signs");
            assert_eq!(key().check(&jwt, NOW.plus_seconds(last)), Some(reader.clone()));
            assert_eq!(key().check(&jwt, NOW.plus_seconds(last + 1)), None);
        }
    }

    #[test]
    fn a_jwt_of_a_version_without_rights_has_them_all() {
        let claims = serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "account": "a", "name": "n",
            "iat": 0, "exp": NOW.seconds() + 100});
        let jwt = signed(&Header::new(Algorithm::HS256), &claims, &[7; 32]);
        assert_eq!(key().check(&jwt, NOW).expect("valid").rights, Rights::all());
    }

    #[test]
    fn s29_a_browsers_jwt_opens_no_api_and_the_apis_is_no_browsers() {
        let admin = Uuid::from_u128(7);
        let browser = key().sign_browser(admin, NOW.plus_seconds(60)).expect("signs");
        assert_eq!(key().check_browser(&browser, NOW), Some((admin, NOW.seconds() + 60)));
        assert_eq!(key().check_browser(&browser, NOW.plus_seconds(60)), None);
        assert_eq!(key().check(&browser, NOW), None);
        let client = key().sign(&client(), None, NOW).expect("signs");
        assert_eq!(key().check_browser(&client, NOW), None);
        assert_eq!(SigningKey::new(&[8; 32]).check_browser(&browser, NOW), None);
    }

    #[test]
    fn s29_none_other_algorithms_keys_issuers_and_audiences_are_refused() {
        let good = serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "account": "a", "name": "n", "iat": 0,
            "exp": NOW.seconds() + 100});
        let with = |field: &str, value: &str| {
            let mut claims = good.clone();
            claims[field] = value.into();
            claims
        };
        let hs256 = Header::new(Algorithm::HS256);
        assert!(key().check(&signed(&hs256, &good, &[7; 32]), NOW).is_some());
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#),
            URL_SAFE_NO_PAD.encode(good.to_string())
        );
        for (jwt, what) in [
            (none, "none"),
            (signed(&Header::new(Algorithm::HS512), &good, &[7; 32]), "another algorithm"),
            (signed(&hs256, &good, &[8; 32]), "another key"),
            (signed(&hs256, &with("iss", "x"), &[7; 32]), "another issuer"),
            (signed(&hs256, &with("aud", "x"), &[7; 32]), "another audience"),
            ("garbage".into(), "garbage"),
        ] {
            assert_eq!(key().check(&jwt, NOW), None, "{what}");
        }
    }
}
