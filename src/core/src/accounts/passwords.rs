//! Passwords of admins: argon2id with the parameters OWASP asks for (19 MiB, two passes, one lane).
//!
//! Other parameters go in here; a hash carries its own, so those that are stored still open.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use ipack_domain::effects::random_bytes;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Two at a time: each takes 19 MiB and a core for a while.
const AT_ONCE: usize = 2;

/// What an unknown email's password is checked against, so that it takes as long as a known one's.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody's password"));

#[derive(Debug, Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    pub async fn hash(&self, password: String) -> String {
        self.apart(move || hash_now(&password)).await
    }

    /// Whether the password is right; `hash` is `None` for an email that nobody has.
    pub async fn verify(&self, password: String, hash: Option<String>) -> bool {
        self.apart(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let right = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            right && known
        })
        .await
    }

    /// Off the threads that answer requests.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _permit = self.0.acquire().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
}

fn hash_now(password: &str) -> String {
    let salt = SaltString::encode_b64(&random_bytes::<16>()).expect("16 bytes are a salt");
    let hash =
        Argon2::default().hash_password(password.as_bytes(), &salt).expect("default parameters are valid");
    hash.to_string()
}

/// A password for the first admin: 20 characters without look-alikes, 116 bits.
pub fn random_password() -> String {
    // A byte at or above the largest multiple of the alphabet's length is drawn again, so that all are as likely.
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let len = ALPHABET.len();
    let fair = (256 / len) * len;
    std::iter::repeat_with(random_bytes::<32>)
        .flatten()
        .map(usize::from)
        .filter(|byte| *byte < fair)
        .map(|byte| ALPHABET[byte % len] as char)
        .take(20)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_person_verifies() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".into()).await;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await);
        assert!(!passwords.verify("wrong".into(), Some(hash)).await);
        assert!(!passwords.verify("nobody's password".into(), None).await);
    }

    #[test]
    fn random_passwords_differ() {
        assert_eq!(random_password().len(), 20);
        assert_ne!(random_password(), random_password());
    }
}
