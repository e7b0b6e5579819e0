//! What token and revocation endpoints answer: a token, or why there is none (RFC 6749 sections 5.1 and 5.2).
//!
//! A provider whose answers look different gets its shape read in [`read_answer`] or [`read_refusal`].

use crate::{
    advice::{Redactor, shown},
    authentication::ClientCredentialsError,
    outbound::{Answer, OutboundError},
};
use ipack_domain::time::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

/// What a token endpoint granted. `Debug` shows no token.
#[derive(Debug)]
pub struct Granted {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    pub token_type: String,
    /// Seconds, where the answer said.
    pub expires_in: Option<i64>,
    /// Where the answer said; otherwise as requested.
    pub scope: Option<String>,
    /// When it was asked for: its life began after that, whenever the answer arrived.
    pub asked_at: Timestamp,
}

impl Granted {
    /// For the audit log: what came, without any value that is secret.
    pub fn summary(&self) -> String {
        let expires = match self.expires_in {
            Some(seconds) => format!("expires in {seconds} s"),
            None => "no expiry named".to_owned(),
        };
        let scope =
            self.scope.as_deref().map(|scope| format!(", scope {}", shown(scope))).unwrap_or_default();
        let refresh = if self.refresh_token.is_some() { "with" } else { "without" };
        format!("{}, {expires}, {refresh} refresh token{scope}", shown(&self.token_type))
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The provider said no, in the words of OAuth.
    #[error("{host} answered HTTP {status}: {error}{}", description.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused { host: String, status: u16, error: String, description: Option<String> },
    #[error("{host} answered HTTP {status} with something that is no token answer: {what}")]
    Malformed { host: String, status: u16, what: &'static str },
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    ClientCredentials(#[from] ClientCredentialsError),
    #[error("The {0} is not a URL")]
    Endpoint(&'static str),
}

impl TokenError {
    /// Whether the same request may work later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, error, .. } => {
                is_busy(*status)
                    || matches!(error.as_str(), "temporarily_unavailable" | "server_error" | "slow_down")
            }
            Self::Malformed { status, .. } => is_busy(*status),
            Self::Outbound(error) => error.is_transient(),
            Self::ClientCredentials(_) | Self::Endpoint(_) => false,
        }
    }

    /// The error's code, where the provider named one.
    pub fn code(&self) -> Option<&str> {
        if let Self::Refused { error, .. } = self { Some(error) } else { None }
    }

    /// The refresh token is of no use any more (RFC 6749, section 5.2).
    pub fn is_final(&self) -> bool {
        self.code() == Some("invalid_grant")
    }
}

fn is_busy(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

/// A token answer (RFC 6749, section 5.1). Numbers may come as text, and errors with a status of 200.
pub(crate) fn read_answer(
    answer: &Answer,
    redactor: &Redactor,
    asked_at: Timestamp,
) -> Result<Granted, TokenError> {
    let malformed = |what| TokenError::Malformed { host: answer.host.clone(), status: answer.status, what };
    if !(200..300).contains(&answer.status) {
        return Err(read_refusal(answer, redactor));
    }
    let Ok(json) = answer.json::<Value>() else {
        return Err(malformed(not_json(answer)));
    };
    let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(access_token) = text("access_token") else {
        if json.get("error").is_some() {
            return Err(read_refusal(answer, redactor));
        }
        return Err(malformed("no access_token"));
    };
    Ok(Granted {
        access_token: access_token.to_owned().into(),
        refresh_token: text("refresh_token").map(|token| token.to_owned().into()),
        token_type: text("token_type").map_or_else(|| "Bearer".to_owned(), |kind| redactor.shown(kind)),
        expires_in: json.get("expires_in").and_then(seconds),
        scope: json.get("scope").and_then(scope).map(|scope| redactor.redacted(&scope)),
        asked_at,
    })
}

/// Whole seconds, however they are written; what is negative or no number is as if it were not there.
fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|seconds| *seconds >= 0)
}

fn scope(value: &Value) -> Option<String> {
    match value {
        Value::String(scope) => Some(scope.clone()),
        Value::Array(scopes) => Some(scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// What came instead of JSON.
fn not_json(answer: &Answer) -> &'static str {
    let is_page = answer.content_type.as_deref().is_some_and(|kind| kind.starts_with("text/html"));
    if is_page { "a page" } else { "not JSON" }
}

/// An error answer (RFC 6749, section 5.2), also as those providers write it that put an object or a list there.
pub(crate) fn read_refusal(answer: &Answer, redactor: &Redactor) -> TokenError {
    let (host, status) = (answer.host.clone(), answer.status);
    let Ok(json) = answer.json::<Value>() else {
        return TokenError::Malformed { host, status, what: not_json(answer) };
    };
    let error = json.get("error");
    let inner = error.filter(|error| error.is_object()).unwrap_or(&json);
    let first = |names: &[&str]| {
        names.iter().find_map(|name| inner.get(name).or_else(|| json.get(name))).and_then(Value::as_str)
    };
    let code = error.and_then(Value::as_str).or_else(|| first(&["type", "status", "code", "errorCode"]));
    let description = first(&["error_description", "message", "errorSummary", "detail", "error_message"]);
    if code.is_none() && description.is_none() {
        return TokenError::Malformed { host, status, what: "no error that could be read" };
    }
    TokenError::Refused {
        host,
        status,
        error: redactor.shown(code.unwrap_or("an error without a code")),
        description: description.map(|text| redactor.shown(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::made_up(status, "application/json", body)
    }

    fn read(status: u16, body: &str) -> Result<Granted, TokenError> {
        read_answer(
            &answer(status, body),
            &Redactor::new([&SecretString::from("s3cr3t-canary".to_owned())]),
            Timestamp(0),
        )
    }

    #[test]
    fn lifetimes_are_read_however_they_are_written() {
        for (written, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("3599.9", Some(3599)),
            ("0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("1e300", Some(i64::MAX)),
            ("-1", None),
            ("null", None),
            ("\"soon\"", None),
            ("{}", None),
        ] {
            let body = format!(r#"{{"access_token":"a","expires_in":{written}}}"#);
            assert_eq!(read(200, &body).expect(written).expires_in, expected, "{written}");
        }
        assert_eq!(read(200, r#"{"access_token":"a"}"#).expect("fine").expires_in, None);
    }

    #[test]
    fn refusals_are_read_in_the_shapes_that_providers_use() {
        for (status, body, code, description) in [
            (400, r#"{"error":"invalid_grant","error_description":"used"}"#, "invalid_grant", Some("used")),
            (200, r#"{"ok":false,"error":"bad_redirect_uri"}"#, "bad_redirect_uri", None),
            (400, r#"{"error":{"type":"OAuthException","message":"no"}}"#, "OAuthException", Some("no")),
            (401, r#"{"errorCode":"E1","errorSummary":"no"}"#, "E1", Some("no")),
        ] {
            let Err(TokenError::Refused { error, description: found, .. }) = read(status, body) else {
                panic!("{body} is a refusal");
            };
            assert_eq!((error.as_str(), found.as_deref()), (code, description), "{body}");
        }
        for (status, body) in [(200, "{}"), (200, "[]"), (200, "<p>"), (500, "oops"), (400, "{}")] {
            assert!(matches!(read(status, body), Err(TokenError::Malformed { .. })), "{body}");
        }
        assert!(read(503, "oops").is_err_and(|error| error.is_transient()));
        assert!(read(400, r#"{"error":"invalid_grant"}"#).is_err_and(|error| error.is_final()));
    }

    #[test]
    fn s22_a_provider_that_repeats_a_secret_is_not_repeated() {
        let body = r#"{"error":"invalid_client","error_description":"no client with s3cr3t-canary here"}"#;
        let said = read(401, body).expect_err("refused").to_string();
        assert!(said.contains("no client with … here") && !said.contains("canary"), "{said}");
    }

    #[test]
    fn s22_scopes_are_not_cut_and_repeat_no_secret() {
        let long: Vec<String> =
            (0..40).map(|n| format!("https://www.googleapis.com/auth/scope-{n}")).collect();
        let body =
            serde_json::json!({"access_token": "a", "scope": format!("{} s3cr3t-canary", long.join(" "))});
        let scope = read(200, &body.to_string()).expect("fine").scope.expect("named");
        assert_eq!(crate::advice::shown_scopes(&scope, " "), format!("{} …", long.join(" ")));
    }

    #[test]
    fn s14_what_a_provider_says_is_capped_text() {
        let body =
            serde_json::json!({"error": "x", "error_description": format!("<b>\u{7}{}", "y".repeat(9_000))});
        let said = read(400, &body.to_string()).expect_err("refused").to_string();
        assert!(said.len() < 500 && !said.contains('\u{7}') && said.contains("<b>"), "{said}");
    }

    #[test]
    fn s27_debug_of_what_was_granted_shows_no_token() {
        let granted = read(200, r#"{"access_token":"a-canary","refresh_token":"r-canary"}"#).expect("fine");
        assert!(!format!("{granted:?} {}", granted.summary()).contains("canary"));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100u16..600, body in ".{0,200}") {
            let _ = read(status, &body);
        }
    }
}
