//! What went wrong, in the words of the product and of the identity provider. What to do next is said in
//! [`causes`](crate::causes).
//!
//! Whatever a stranger wrote goes through [`shown`] first.

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::byte_serialize;

/// The longest text of a stranger's that is shown or stored, in characters.
const MAX_SHOWN: usize = 300;
/// Shorter secrets would blot out ordinary words.
const MIN_SECRET: usize = 6;

/// A stranger's text as it can be shown: without control characters, and cut (security: S14).
pub fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        // Characters that turn the direction of what follows.
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .take(MAX_SHOWN)
        .collect();
    if text.chars().count() > MAX_SHOWN {
        out.push('…');
    }
    out.trim().to_owned()
}

/// More scopes than any provider has.
const MAX_SCOPES: usize = 500;

/// A stranger's list of scopes, with one blank between two, each of them clean. No scope has a blank, a comma or a
/// semicolon in it (RFC 6749, section 3.3, has the comma, and no provider does).
pub fn shown_scopes(scope: &str) -> String {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let scopes = scope.split(is_between).filter(|scope| !scope.is_empty()).take(MAX_SCOPES).map(shown);
    scopes.collect::<Vec<_>>().join(" ")
}

/// A sentence with its full stop.
pub fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Takes secrets out of texts, for a provider may repeat what it was sent.
pub struct Redactor(Vec<SecretString>);

impl Redactor {
    /// Secrets as they are, and as a form writes them.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut all = Vec::new();
        for secret in secrets {
            let text = secret.expose_secret();
            if text.len() < MIN_SECRET {
                continue;
            }
            let encoded: String = byte_serialize(text.as_bytes()).collect();
            let with_blanks = encoded.replace('+', "%20");
            for form in [with_blanks, encoded] {
                if form != text {
                    all.push(form.into());
                }
            }
            all.push(secret.clone());
        }
        Self(all)
    }

    pub fn shown(&self, text: &str) -> String {
        shown(&self.redacted(text))
    }

    pub fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret.expose_secret(), "…");
        }
        text
    }
}

/// The sentence that stands for a refusal on the way to a code; the words are the original platform's.
pub fn no_code(error: &str) -> String {
    format!(
        "Error attempting to retrieve OAuth Access token. Authorization Code not received. ERROR: {error}"
    )
}

/// The sentence for a code that brought no token.
pub fn no_token(error: &str) -> String {
    format!("Error attempting to retrieve OAuth Access token. ERROR: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_refusal_is_worded_as_the_original_platform_words_it() {
        assert_eq!(
            no_code("access_denied"),
            "Error attempting to retrieve OAuth Access token. Authorization Code not received. ERROR: access_denied"
        );
    }

    proptest! {
        #[test]
        fn s14_whatever_a_stranger_writes_is_short_and_without_control_characters(text in "\\PC{0,10}[\u{0}-\u{202e}]{0,700}") {
            let shown = shown(&text);
            prop_assert!(shown.chars().count() <= MAX_SHOWN + 1);
            let turns = |c: char| ('\u{202a}'..='\u{202e}').contains(&c);
            let is_clean = !shown.chars().any(|c| c.is_control() || turns(c));
            prop_assert!(is_clean);
        }

        #[test]
        fn s22_a_secret_does_not_survive(secret in "[!-~]{6,40}", before in "[a-z ]{0,300}", after in "[a-z ]{0,9}") {
            let redactor = Redactor::new([&SecretString::from(secret.clone())]);
            let text = format!("{before}{secret}{after}");
            let around = format!("{before}{after}");
            prop_assume!(!around.contains(&secret));
            let shown = redactor.shown(&text);
            prop_assert!(!shown.contains(&secret));
        }
    }
}
