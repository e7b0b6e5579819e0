//! Passwords of admins: argon2id, at a cost that is handed in.
//!
//! A hash carries its own parameters, so those that are stored still open when the cost is another one.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use ipack_domain::effects::random_bytes;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Two at a time: each takes 19 MiB and a core for a while.
const AT_ONCE: usize = 2;

/// What a new hash costs whoever makes it, and later whoever checks a password against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    kibibytes: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// As OWASP asks for: 19 MiB, two passes, one lane.
    pub const PRODUCTION: Self = Self { kibibytes: 19 * 1_024, passes: 2, lanes: 1 };
    /// The least that argon2 knows, which protects nothing: for tests.
    pub const LEAST: Self =
        Self { kibibytes: Params::MIN_M_COST, passes: Params::MIN_T_COST, lanes: Params::MIN_P_COST };

    fn hash(self, password: &str) -> String {
        let params = Params::new(self.kibibytes, self.passes, self.lanes, None);
        let params = params.expect("the costs above are argon2's");
        let salt = SaltString::encode_b64(&random_bytes::<16>()).expect("16 bytes are a salt");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(password.as_bytes(), &salt).expect("a password can be hashed").to_string()
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

#[derive(Debug, Clone)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cost: Cost,
    turn: Arc<Semaphore>,
    /// What an unknown email's password is checked against, so that it takes as long as a known one's.
    nobody: OnceLock<String>,
}

impl Passwords {
    pub fn new(cost: Cost) -> Self {
        Self(Arc::new(Inner { cost, turn: Arc::new(Semaphore::new(AT_ONCE)), nobody: OnceLock::new() }))
    }

    pub async fn hash(&self, password: String) -> String {
        self.apart(move |inner| inner.cost.hash(&password)).await
    }

    /// Whether the password is right; `hash` is `None` for an email that nobody has.
    pub async fn verify(&self, password: String, hash: Option<String>) -> bool {
        self.apart(move |inner| {
            let nobody = || inner.nobody.get_or_init(|| inner.cost.hash("nobody's password")).as_str();
            let right = PasswordHash::new(hash.as_deref().unwrap_or_else(nobody))
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            right && hash.is_some()
        })
        .await
    }

    /// Off the threads that answer requests.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> T {
        let turn = Arc::clone(&self.0.turn);
        let permit = turn.acquire_owned().await.expect("the semaphore is never closed");
        let inner = Arc::clone(&self.0);
        // The permit goes along: a caller that hangs up drops this future, and the work goes on all the same.
        let work = move || {
            let _permit = permit;
            work(&inner)
        };
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
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
        for (cost, parameters) in [(Cost::default(), "m=19456,t=2,p=1"), (Cost::LEAST, "m=8,t=1,p=1")] {
            let passwords = Passwords::new(cost);
            let hash = passwords.hash("correct horse".into()).await;
            assert!(hash.starts_with(&format!("$argon2id$v=19${parameters}$")), "{hash}");
            assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await);
            assert!(!passwords.verify("wrong".into(), Some(hash.clone())).await);
            assert!(!passwords.verify("nobody's password".into(), None).await);
            // What is stored opens at any cost, and an unknown email takes as long as what is stored now.
            assert!(Passwords::new(Cost::LEAST).verify("correct horse".into(), Some(hash)).await);
            let nobody = passwords.0.nobody.get().expect("an unknown email was asked for");
            assert!(nobody.contains(parameters), "{nobody}");
        }
    }

    #[tokio::test]
    async fn callers_that_hang_up_do_not_make_room_for_more_work_at_once() {
        let passwords = Passwords::new(Cost::LEAST);
        let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let finished = Arc::new(std::sync::Mutex::new(finished));
        for _ in 0..AT_ONCE + 3 {
            let (passwords, begun, finished) = (passwords.clone(), begun.clone(), finished.clone());
            let work = move |_: &Inner| {
                let _ = begun.send(());
                let _ = finished.lock().expect("nobody panics").recv();
            };
            let caller = tokio::spawn(async move { passwords.apart(work).await });
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            caller.abort();
        }
        for _ in 0..AT_ONCE {
            has_begun.recv().await.expect("as many as may begin do");
        }
        has_begun.try_recv().expect_err("one more has begun");
        assert_eq!(passwords.0.turn.available_permits(), 0, "the work holds them");
        drop(finish);
        passwords.apart(|_| ()).await;
    }

    #[test]
    fn random_passwords_differ() {
        assert_eq!(random_password().len(), 20);
        assert_ne!(random_password(), random_password());
    }
}
