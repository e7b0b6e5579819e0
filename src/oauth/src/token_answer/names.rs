//! Names of members as providers spell them, and which of them name secrets.

/// Words of names whose values are not shown.
const SECRET_WORDS: [&str; 11] = [
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "privatekey",
    "assertion",
    "signature",
    "credential",
    "cookie",
    "session",
];

/// `access_token`, `accessToken` and `Access-Token` are one name.
pub(super) fn normal(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a member, its name in [`normal`] form, is shown to nobody: because of its name, or because it looks like what
/// opens something.
pub(super) fn is_secret(name: &str, text: &str) -> bool {
    let is_opaque = text.len() > 64 && !text.contains(char::is_whitespace) && !text.contains("://");
    let is_code = name == "code" && text.parse::<f64>().is_err();
    let is_about_one = name.contains("expir") || name.ends_with("type") || matches!(text, "true" | "false");
    let is_one = SECRET_WORDS.iter().any(|word| name.contains(word)) && !is_about_one;
    text.starts_with("eyJ") || is_opaque || is_code || is_one
}
