//! What went wrong, in the words of the product: the identity provider's own, and what to do next.
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

/// What to do about an error that an identity provider named.
pub fn advice(code: &str, redirect_uri: &str) -> String {
    match code {
        "access_denied" => {
            "The person at the identity provider refused. Generate the token again, and allow the access there.".into()
        }
        "invalid_client" | "unauthorized_client" => {
            "The provider does not know this client, or not with this secret. Compare Client ID and Client Secret with \
             the application you registered there. Where they are the same, the secret has to be sent in another way: \
             choose another Client authentication, in the request’s body or in a header that is not form-encoded. Or, \
             where a person signs in, the provider takes no PKCE: switch PKCE off."
                .into()
        }
        "invalid_scope" => {
            "The provider does not grant one of the scopes. Compare them with those that your application may ask for."
                .into()
        }
        "redirect_uri_mismatch" | "invalid_redirect_uri" | "bad_redirect_uri" => {
            format!("Register this redirect URI with the provider, exactly as it stands: {redirect_uri}")
        }
        "invalid_grant" => {
            "The provider no longer accepts what it gave out: it ran out, was used before, or access was withdrawn. \
             Generate the token again."
                .into()
        }
        "unsupported_grant_type" | "unsupported_response_type" => {
            "The provider does not offer this grant. Choose another one under Identity provider.".into()
        }
        "invalid_request" => format!(
            "The provider found a parameter missing or wrong. Check the tables of parameters, and that this redirect \
             URI is registered there: {redirect_uri}"
        ),
        "interaction_required" | "login_required" | "consent_required" => {
            "The provider wants to ask the person something. Remove a prompt=none from the Authorization Parameters."
                .into()
        }
        "server_error" | "temporarily_unavailable" | "slow_down" => {
            "The provider cannot do it at the moment. Try again in a few minutes.".into()
        }
        _ => "Look the code up in the provider’s documentation, put it right there or here, and generate the token again."
            .into(),
    }
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
