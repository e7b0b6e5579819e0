//! Which keys would carry a client secret, wherever they stand.

/// Whether a key would carry a client secret, however it is spelled (`clientSecret`, `client_secret`, `Client-Secret`).
pub fn is_secret_key(key: &str) -> bool {
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .eq("clientsecret".chars())
}
