//! API tokens: 256 random bits, of which the database keeps a SHA-256 digest. A slow hash would protect a guessable
//! secret; this one cannot be guessed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipack_domain::effects::random_bytes;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every username of an API token begins with.
pub const USERNAME_PREFIX: &str = "BOOMI_TOKEN.";

/// A new token, shown once.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A username that tells which token it is and is taken by no other: `BOOMI_TOKEN.<name>-<random>`.
pub fn username(name: &str) -> String {
    let slug: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(40)
        .collect();
    let tail = hex::encode(random_bytes::<4>());
    format!("{USERNAME_PREFIX}{slug}-{tail}")
}

pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Takes as long whether the token is right, wrong or unknown (`expected` is `None`).
pub fn matches(token: &str, expected: Option<&[u8]>) -> bool {
    let actual = digest(token);
    let nothing = [0; 32];
    let same: bool = actual.ct_eq(expected.unwrap_or(&nothing)).into();
    same && expected.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s28_only_the_right_token_matches() {
        let token = random_token();
        assert!(matches(&token, Some(&digest(&token))));
        assert!(!matches("wrong", Some(&digest(&token))));
        assert!(!matches(&token, None));
        assert_ne!(token, random_token());
    }

    #[test]
    fn a_username_fits_a_basic_header() {
        let name = username("CI: deploy ü");
        assert!(name.starts_with("BOOMI_TOKEN.ci--deploy---"), "{name}");
        assert!(!name.trim_start_matches(USERNAME_PREFIX).contains([':', ' ']));
    }
}
