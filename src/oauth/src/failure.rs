//! What a failure of a token request means for whoever asked: that the grant is dead, that something here or at the
//! provider has to be changed, or that it passes. There is one classifier for all providers.
//!
//! A provider that says in words of its own that a refresh token is dead gets them into [`DEAD_CODES`], one that has a
//! name of its own for what is configured wrong a line in [`misconfigured_place`].

use crate::{outbound::OutboundError, token_answer::TokenError, token_answer::refusal::Refusal};
use ipack_domain::{
    fields::{MenuField, TextField},
    form_place::FormPlace,
    tokens::SecretField,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// For good: what was granted is dead, whatever its name, and asking again is of no use.
    Refused,
    /// Until somebody changes something, most likely there.
    Misconfigured(FormPlace),
    /// Everything else.
    Passing,
}

/// Parts of codes, without case and marks.
const DEAD_CODES: [&str; 22] = [
    "invalidgrant",
    "badrefreshtoken",
    "invalidrefreshtoken",
    "refreshtokeninvalid",
    "refreshtokenexpired",
    "expiredrefreshtoken",
    "refreshtokenrevoked",
    "refreshtokennotfound",
    "refreshtokenreuse",
    "tokenrevoked",
    "tokenexpired",
    "expiredtoken",
    "revokedtoken",
    "invalidtoken",
    "invalidcode",
    "invalidauthcode",
    "invalidauthorizationcode",
    "badverificationcode",
    "accountinactive",
    "interactionrequired",
    "consentrequired",
    "loginrequired",
];
/// What is said of a refresh token that is dead.
const DEAD_WORDS: [&str; 9] = [
    "expired",
    "invalid",
    "revoked",
    "not found",
    "not valid",
    "no longer valid",
    "already used",
    "been used",
    "not exist",
];
/// What is said of a refresh that came too early.
const EARLY_WORDS: [&str; 4] = ["too early", "not expired", "not yet expired", "still valid"];

impl TokenError {
    pub fn kind(&self) -> FailureKind {
        let client_secret = FormPlace::Secret(SecretField::ClientSecret);
        match self {
            Self::Refused { status, .. } | Self::Malformed { status, .. } if is_busy(*status) => {
                FailureKind::Passing
            }
            Self::Refused { refusal, .. } => kind_of(refusal),
            Self::Malformed { words, .. } if is_dead(words) => FailureKind::Refused,
            Self::Malformed { .. } => FailureKind::Passing,
            Self::Outbound(OutboundError::Unsendable { .. }) => FailureKind::Misconfigured(client_secret),
            Self::Outbound(error) if error.is_transient() => FailureKind::Passing,
            Self::Outbound(_) | Self::Endpoint(_) => {
                FailureKind::Misconfigured(FormPlace::Text(TextField::TokenEndpoint))
            }
            Self::ClientCredentials(_) => FailureKind::Misconfigured(client_secret),
        }
    }

    /// Seconds after which the provider wants to be asked again, where it named them.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Refused { retry_after, .. } | Self::Malformed { retry_after, .. } => *retry_after,
            Self::Outbound(_) | Self::ClientCredentials(_) | Self::Endpoint(_) => None,
        }
    }
}

fn is_busy(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

/// What a refusal means that came with no status of its own.
pub(crate) fn kind_of(refusal: &Refusal) -> FailureKind {
    let codes = codes(refusal);
    let place = codes.iter().find_map(|code| misconfigured_place(code));
    if refusal.description.as_deref().is_some_and(is_early)
        || codes.iter().any(|code| is_of_a_busy_provider(code))
    {
        return FailureKind::Passing;
    }
    // A provider may call a client unauthorized because its refresh token is dead; a wrong secret is one.
    let is_wrong_secret = place == Some(FormPlace::Secret(SecretField::ClientSecret));
    let is_dead_code = |code: &String| DEAD_CODES.iter().any(|dead| code.contains(dead));
    if codes.iter().any(is_dead_code) || (!is_wrong_secret && is_dead(refusal)) {
        return FailureKind::Refused;
    }
    place.map_or(FailureKind::Passing, FailureKind::Misconfigured)
}

/// The code, and those that stand in the description as words; without case and marks.
fn codes(refusal: &Refusal) -> Vec<String> {
    const BEGINNINGS: [&str; 4] = ["invalid_", "unauthorized_", "unsupported_", "bad_"];
    let words =
        refusal.description.as_deref().unwrap_or_default().split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_code = |word: &&str| BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    let code = refusal.code.as_deref().unwrap_or_default();
    std::iter::once(code).chain(words.filter(is_code)).map(plain).collect()
}

fn is_of_a_busy_provider(code: &str) -> bool {
    matches!(code, "temporarilyunavailable" | "servererror" | "slowdown")
}

/// Where on the form that is which a code complains of; the code without case and marks.
fn misconfigured_place(code: &str) -> Option<FormPlace> {
    let is_of = |words: &[&str]| words.iter().any(|word| code.contains(word));
    if is_of(&["redirecturi"]) {
        return Some(FormPlace::RedirectUri);
    }
    if is_of(&["scope"]) {
        return Some(FormPlace::Text(TextField::Scopes));
    }
    if is_of(&["granttype", "responsetype"]) {
        return Some(FormPlace::Menu(MenuField::Grant));
    }
    if is_of(&["clientid", "unauthorizedclient", "unknownclient"]) {
        return Some(FormPlace::Text(TextField::ClientId));
    }
    is_of(&["invalidclient", "clientsecret", "clientcredentials", "appsecret", "badclient"])
        .then_some(FormPlace::Secret(SecretField::ClientSecret))
}

/// Whether somebody says that the refresh token is dead.
fn is_dead(refusal: &Refusal) -> bool {
    let text = refusal.description.as_deref().unwrap_or_default().to_lowercase().replace(['_', '-'], " ");
    let names_one = text.contains("refresh token") || text.contains("refreshtoken");
    names_one && DEAD_WORDS.iter().any(|word| text.contains(word)) && !is_early(&text)
}

fn is_early(text: &str) -> bool {
    let text = text.to_lowercase();
    EARLY_WORDS.iter().any(|word| text.contains(word))
}

/// A code without case and marks.
pub(crate) fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{advice::Redactor, outbound::Answer, token_answer::read_answer};
    use ipack_domain::time::Timestamp;

    fn kind(status: u16, body: &str) -> FailureKind {
        let answer = Answer::made_up(status, "application/json", body);
        let error = read_answer(&answer, &Redactor::new([]), Timestamp(0)).expect_err("no token");
        error.kind()
    }

    #[test]
    fn a_dead_refresh_token_is_refused_for_good_whatever_its_name() {
        for (status, body) in [
            (400, r#"{"error":"invalid_grant"}"#),
            (401, r#"{"error":"invalid_grant","error_description":"no"}"#),
            (
                200,
                r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#,
            ),
            (400, r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#),
            (200, r#"{"ok":false,"error":"invalid_refresh_token"}"#),
            (200, r#"{"error":"invalid_code"}"#),
            (
                401,
                r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid"}],"success":false}"#,
            ),
            (400, r#"{"error":"invalid_request","error_description":"The refresh token has expired."}"#),
            (400, r#"{"code":40001,"message":"refresh_token expired"}"#),
            (
                400,
                r#"{"fault":{"faultstring":"Invalid Refresh Token","detail":{"errorcode":"keymanagement.service.invalid_refresh_token"}}}"#,
            ),
            (200, r#"{"code":"1002","data":{"reason":"Refresh-Token revoked"}}"#),
            (403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#),
            (400, r#"{"error":400,"error_description":"invalid_grant"}"#),
            (400, r#"{"error":"invalid_grant: the token was used before"}"#),
            (400, r#"{"errors":{"base":["invalid_grant"]}}"#),
            (400, r#"{"error":["invalid_grant"]}"#),
            (400, r#"{"Error":{"Code":"InvalidGrant","Message":"no"}}"#),
            (400, r#"{"response":{"status":{"code":401,"message":"Refresh token has been revoked"}}}"#),
            (200, r#"[{"errorCode":"REFRESH_TOKEN_EXPIRED"}]"#),
            (400, r#"{"detail":"Refresh token already used"}"#),
            (400, r#"{"error":"token_inactive","error_description":"Refresh token not found"}"#),
            (400, r#""{\"error\":\"invalid_grant\"}""#),
            (400, "<error>Refresh token expired</error>"),
            (400, "error=invalid_grant&error_description=gone"),
            (400, "The refresh token is no longer valid."),
        ] {
            assert_eq!(kind(status, body), FailureKind::Refused, "{status} {body}");
        }
    }

    #[test]
    fn what_passes_is_neither_refused_nor_misconfigured() {
        for (status, body) in [
            (200, "<html><title>Sign in to the network</title></html>"),
            (403, "<html>Blocked by policy</html>"),
            (404, "not here"),
            (200, ""),
            (200, "{}"),
            (200, r#"{"access_token":null}"#),
            (200, r#"{"access_token":"","expires_in":3600}"#),
            (301, "<html>Moved</html>"),
            (502, r#"{"error":"invalid_client"}"#),
            (408, r#"{"error":"invalid_grant"}"#),
            (400, r#"{"error":"slow_down","error_description":"invalid_client is not the matter"}"#),
            (400, "<?xml version=\"1.0\"?><Error><Message>Throttled</Message></Error>"),
            (403, r#"{"error":{"message":"IP not allowed"}}"#),
            (451, "<html><title>Refused</title></html>"),
            (200, "null"),
            (200, "\u{0}"),
            (503, r#"{"error":"invalid_grant"}"#),
            (429, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (400, r#"{"error":"invalid_request","error_description":"The access token is not expired"}"#),
            (400, r#"{"error":"invalid_grant","error_description":"too early: the token is still valid"}"#),
            (400, r#"{"error":"whatever"}"#),
            (403, r#"{"message":"Forbidden"}"#),
            (400, r#"{"error":"invalid_request"}"#),
        ] {
            assert_eq!(kind(status, body), FailureKind::Passing, "{status} {body}");
        }
    }

    #[test]
    fn what_is_misconfigured_names_its_field() {
        for (code, label) in [
            ("invalid_client", "Client Secret"),
            ("INVALID_CLIENT", "Client Secret"),
            ("incorrect_client_credentials", "Client Secret"),
            ("BAD_CLIENT_SECRET", "Client Secret"),
            ("unauthorized_client", "Client ID"),
            ("invalid_client_id", "Client ID"),
            ("invalid_scope", "Scopes"),
            ("unsupported_grant_type", "Grant"),
            ("redirect_uri_mismatch", "Redirect URI"),
            ("InvalidClient", "Client Secret"),
            ("invalid_client_secret", "Client Secret"),
            ("incorrect_client_credentials ", "Client Secret"),
            ("unsupported_response_type", "Grant"),
            ("insufficient_scope", "Scopes"),
            ("Client failed: invalid_client", "Client Secret"),
            ("The request failed with unauthorized_client.", "Client ID"),
        ] {
            let FailureKind::Misconfigured(place) = kind(400, &format!(r#"{{"error":"{code}"}}"#)) else {
                panic!("{code}");
            };
            assert_eq!(place.label(), label, "{code}");
        }
    }
}
