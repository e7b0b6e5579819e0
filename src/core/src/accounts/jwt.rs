//! JWTs of the API: HMAC-SHA-256, one issuer, one audience, 300 seconds.
//!
//! Expiry is checked against the program's own clock and without leeway; the library's would add a minute.

use crate::access::Client;
use ipack_domain::{effects::random_bytes, time::Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

pub const LIFETIME_SECONDS: i64 = 300;
const ISSUER: &str = "ipack-connect";
const AUDIENCE: &str = "ipack-connect/graphql";

/// Signs and checks; the same on every replica.
pub struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
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
    iat: i64,
    exp: i64,
}

impl SigningKey {
    pub fn random() -> [u8; 32] {
        random_bytes()
    }

    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    pub fn sign(&self, client: &Client, now: Timestamp) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: client.username.clone(),
            account: client.account.clone(),
            name: client.name.clone(),
            iat: now.seconds(),
            exp: now.seconds() + LIFETIME_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// The client a valid JWT stands for.
    pub fn check(&self, jwt: &str, now: Timestamp) -> Option<Client> {
        let claims = jsonwebtoken::decode::<Claims>(jwt, &self.decoding, &self.validation).ok()?.claims;
        (claims.exp > now.seconds()).then_some(Client {
            account: claims.account,
            name: claims.name,
            username: claims.sub,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    const NOW: Timestamp = Timestamp(1_795_457_108_000_000);

    fn client() -> Client {
        Client { account: "a".into(), name: "n".into(), username: "BOOMI_TOKEN.n".into() }
    }

    fn key() -> SigningKey {
        SigningKey::new(&[7; 32])
    }

    fn signed(header: &Header, claims: &serde_json::Value, secret: &[u8]) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).expect("signs")
    }

    #[test]
    fn s29_a_jwt_lives_for_300_seconds() {
        let jwt = key().sign(&client(), NOW).expect("signs");
        assert_eq!(key().check(&jwt, NOW), Some(client()));
        assert_eq!(key().check(&jwt, NOW.plus_seconds(299)), Some(client()));
        assert_eq!(key().check(&jwt, NOW.plus_seconds(300)), None);
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
