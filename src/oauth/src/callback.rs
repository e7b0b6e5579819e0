//! What an identity provider brings back by the browser: a code, or an error (RFC 6749 section 4.1.2, RFC 9207).

use crate::{advice::Redactor, token_answer::refusal::Refusal};
use serde_json::{Map, Value};
use std::collections::HashMap;
use url::form_urlencoded;

/// Longer values are no code and no state of anybody's.
const MAX_VALUE: usize = 8_192;

/// A parsed answer. Its values are not to be logged: the code is as good as a secret.
pub struct Callback {
    parameters: HashMap<String, String>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callback")
    }
}

impl Callback {
    /// `None` where a parameter that counts is there twice (RFC 6749, section 3.1) or beyond all measure.
    pub fn parse(query: &str) -> Option<Self> {
        let mut parameters = HashMap::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.len() > MAX_VALUE {
                return None;
            }
            let is_known = matches!(&*key, "state" | "code" | "error" | "iss");
            if parameters.insert(key.into_owned(), value.into_owned()).is_some() && is_known {
                return None;
            }
        }
        Some(Self { parameters })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn state(&self) -> Option<&str> {
        self.parameter("state")
    }

    pub fn code(&self) -> Option<&str> {
        self.parameter("code")
    }

    pub fn issuer(&self) -> Option<&str> {
        self.parameter("iss")
    }

    /// Why there is no code, by whatever names the provider gives code and description; `None` where nobody says.
    pub fn refusal(&self) -> Option<Refusal> {
        let is_about_it = |name: &str| !matches!(name, "state" | "code" | "iss" | "scope");
        let said = self.parameters.iter().filter(|(name, _)| is_about_it(name));
        let said: Map<_, _> = said.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let is_refused = self.code().is_none() || self.parameter("error").is_some();
        Refusal::read(&said.into(), &Redactor::new([])).filter(|_| is_refused)
    }
}

/// S04: whether the answer comes from the issuer that was asked (RFC 9207, section 2.4).
pub fn is_from(issuer: Option<&str>, announced: bool, found: Option<&str>) -> bool {
    match (issuer, found) {
        (Some(issuer), Some(found)) => issuer == found,
        (_, None) => !announced,
        // Nothing is known to compare it with.
        (None, Some(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_that_count_are_there_once() {
        assert_eq!(Callback::parse("code=a%2Bb&state=s").as_ref().and_then(Callback::code), Some("a+b"));
        for bad in ["state=a&state=b", "code=a&code=a", "error=a&error=b", "iss=a&iss=b"] {
            assert!(Callback::parse(bad).is_none(), "{bad}");
        }
        assert!(Callback::parse("x=1&x=2&state=s").is_some());
        assert!(Callback::parse(&format!("state={}", "a".repeat(MAX_VALUE + 1))).is_none());
    }

    #[test]
    fn a_refusal_is_read_whatever_its_parameters_are_called() {
        for (query, said) in [
            ("error=access_denied&state=s", "access_denied"),
            ("error=access_denied&error_description=She+said+no&code=x", "access_denied (She said no)"),
            ("error_code=200&error_message=Permissions+error&state=s", "200 (Permissions error)"),
            ("errorCode=E7&msg=no", "E7 (no)"),
            ("error=&error_description=Application+is+off&code=", "Application is off"),
            ("denied=yes&state=s", "denied: yes"),
        ] {
            let refusal = Callback::parse(query).expect(query).refusal().expect(query);
            assert_eq!(refusal.to_string(), said, "{query}");
        }
        for fine in ["code=a&state=s&message=Welcome+back", "state=s", "code=a&realmId=1"] {
            assert_eq!(Callback::parse(fine).expect(fine).refusal(), None, "{fine}");
        }
    }

    #[test]
    fn s04_an_issuer_that_differs_or_is_missing_where_it_is_announced_ends_the_attempt() {
        let asked = Some("https://id.example");
        assert!(is_from(asked, true, asked) && is_from(asked, false, asked) && is_from(asked, false, None));
        assert!(!is_from(asked, true, None));
        for other in ["https://evil.example", "https://id.example/", ""] {
            assert!(!is_from(asked, true, Some(other)) && !is_from(asked, false, Some(other)), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in ".{0,200}") {
            let _ = Callback::parse(&query);
        }
    }
}
