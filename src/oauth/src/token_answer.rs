//! What token and revocation endpoints answer: a token, or why there is none (RFC 6749 sections 5.1 and 5.2).
//!
//! There is one reader for all of them. It finds the token wherever it stands in the answer and reads what belongs to it
//! there and around it, by the names of RFC 6749 in any spelling; what it has no use for is kept as [`Granted::extra`].
//! Another spelling is added where it belongs: [`body`] reads what is JSON in the end, [`lifetime`] spans and moments,
//! [`refusal`] errors.

mod body;
mod lifetime;
mod names;
pub mod refusal;

use crate::{
    advice::{Redactor, shown, shown_scopes},
    authentication::ClientCredentialsError,
    outbound::{Answer, OutboundError},
};
use ipack_domain::time::Timestamp;
use names::{is_secret, normal};
use refusal::{Refusal, leaves};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::VecDeque;

/// Levels of an answer in which a token is looked for.
const MAX_DEPTH: usize = 6;
/// Bytes of what is kept beside a token: it is in the token's row.
const MAX_EXTRA: usize = 32 * 1024;

/// What a token endpoint granted. `Debug` shows no token.
#[derive(Debug, Clone)]
pub struct Granted {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    /// As an `Authorization` header has it.
    pub token_type: String,
    /// Seconds, where the answer said.
    pub expires_in: Option<i64>,
    /// Seconds until the refresh token is over, where the answer said.
    pub refresh_expires_in: Option<i64>,
    /// Separated by blanks, where the answer said; otherwise as requested.
    pub scope: Option<String>,
    /// The rest of the answer as JSON, where there is any: addresses, tenants, tokens of other kinds.
    pub extra: Option<SecretString>,
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
    /// The provider said no.
    #[error("{host} answered HTTP {status}: {refusal}")]
    Refused { host: String, status: u16, refusal: Refusal, retry_after: Option<i64> },
    /// Something else answered, or the provider did in words that are no answer.
    #[error("{host} answered HTTP {status} with something that is no token answer: {}", words.description.as_deref().unwrap_or_default())]
    Malformed { host: String, status: u16, words: Refusal, retry_after: Option<i64> },
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    ClientCredentials(#[from] ClientCredentialsError),
    #[error("The {0} is not a URL")]
    Endpoint(&'static str),
}

/// A token answer, or why it is none.
pub(crate) fn read_answer(
    answer: &Answer,
    redactor: &Redactor,
    asked_at: Timestamp,
) -> Result<Granted, TokenError> {
    let body = body::read(answer);
    if (200..300).contains(&answer.status)
        && let Ok(value) = &body
    {
        let unfolded = body::unfolded(value);
        for value in [value.clone(), unfolded] {
            if let Some(place) = place_of_token(&value) {
                return Ok(TokenAnswer { value, place }.granted(redactor, asked_at));
            }
        }
    }
    Err(refused(answer, body, redactor, asked_at))
}

/// An error answer.
pub(crate) fn read_refusal(answer: &Answer, redactor: &Redactor, asked_at: Timestamp) -> TokenError {
    refused(answer, body::read(answer), redactor, asked_at)
}

fn refused(
    answer: &Answer,
    body: Result<Value, String>,
    redactor: &Redactor,
    asked_at: Timestamp,
) -> TokenError {
    let (host, status) = (answer.host.clone(), answer.status);
    let retry_after = answer.retry_after.as_deref().and_then(|text| lifetime::retry_after(text, asked_at));
    let said = match &body {
        Ok(value) => Refusal::read(value, redactor).ok_or("neither a token nor an error is in it"),
        Err(words) => Err(words.as_str()),
    };
    match said {
        Ok(refusal) => TokenError::Refused { host, status, refusal, retry_after },
        Err(words) => {
            TokenError::Malformed { host, status, words: Refusal::of_words(words, redactor), retry_after }
        }
    }
}

/// The pointer (RFC 6901) to the object that has an access token; the outermost where several have one.
fn place_of_token(answer: &Value) -> Option<String> {
    let mut queue = VecDeque::from([(String::new(), 0, answer)]);
    while let Some((place, depth, value)) = queue.pop_front() {
        let mut children: Vec<(String, &Value)> = Vec::new();
        match value {
            Value::Object(members) => {
                if members.iter().any(|(name, value)| normal(name) == "accesstoken" && text(value).is_some())
                {
                    return Some(place);
                }
                let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
                children.extend(members.iter().map(|(name, value)| (escaped(name), value)));
            }
            Value::Array(items) => {
                children.extend(items.iter().enumerate().map(|(at, item)| (at.to_string(), item)));
            }
            _ => {}
        }
        if depth < MAX_DEPTH {
            queue.extend(
                children.into_iter().map(|(name, value)| (format!("{place}/{name}"), depth + 1, value)),
            );
        }
    }
    None
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// An answer with a token in it. What is read is taken out of it.
struct TokenAnswer {
    value: Value,
    place: String,
}

impl TokenAnswer {
    fn granted(mut self, redactor: &Redactor, asked_at: Timestamp) -> Granted {
        let owned = |value: &Value| text(value).map(str::to_owned);
        let access_token = self.take(&["accesstoken"], owned).unwrap_or_default();
        let refresh_token = self.take(&["refreshtoken"], owned);
        let token_type = self.take(&["tokentype"], owned).unwrap_or_default();
        let scope = self.take(&["scope", "scopes", "grantedscopes", "grantedscope"], scopes);
        Granted {
            access_token: access_token.into(),
            refresh_token: refresh_token.map(Into::into),
            token_type: redactor.shown(header_scheme(&token_type)),
            expires_in: self.take_lifetime(false, asked_at),
            refresh_expires_in: self.take_lifetime(true, asked_at),
            scope: scope.map(|scope| redactor.redacted(&scope)),
            extra: self.rest(redactor),
            asked_at,
        }
    }

    /// The first member by one of these names that can be read, in the token's object or one around it.
    fn take<T>(&mut self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.take_where(|name| names.iter().position(|known| *known == name), read)
    }

    /// The lifetime of the access token or of the refresh token, by whatever name it has.
    fn take_lifetime(&mut self, of_refresh_token: bool, now: Timestamp) -> Option<i64> {
        let rank = |name: &str| {
            let is_of_another =
                name.starts_with("ext") || name.contains("idtoken") || name.contains("secret");
            let fits =
                name.contains("expir") && name.contains("refresh") == of_refresh_token && !is_of_another;
            fits.then_some(usize::from(!name.ends_with("expiresin")))
        };
        self.take_where(rank, |value| lifetime::seconds(value, now))
    }

    /// The member of the least rank.
    fn take_where<T>(
        &mut self,
        rank: impl Fn(&str) -> Option<usize>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let mut place = self.place.clone();
        loop {
            if let Some(Value::Object(members)) = self.value.pointer_mut(&place) {
                let ranked = members
                    .iter()
                    .filter_map(|(name, value)| Some((rank(&normal(name))?, name.clone(), read(value)?)));
                if let Some((_, name, found)) = ranked.min_by_key(|(rank, ..)| *rank) {
                    members.remove(&name);
                    return Some(found);
                }
            }
            place.truncate(place.rfind('/')?);
        }
    }

    /// What nothing was made of. Of more than can be kept, the longest members are left out.
    fn rest(mut self, redactor: &Redactor) -> Option<SecretString> {
        redact(&mut self.value, redactor);
        if leaves(&self.value).is_empty() {
            return None;
        }
        let mut text = self.value.to_string();
        while text.len() > MAX_EXTRA {
            let members = self.value.as_object_mut()?;
            let longest = members.iter().max_by_key(|(_, value)| value.to_string().len())?.0.clone();
            members.remove(&longest);
            text = self.value.to_string();
        }
        Some(text.into())
    }
}

fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redacted(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(members) => members.values_mut().for_each(|value| redact(value, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Scopes with a blank between two, whatever stood there: a text with blanks, commas or semicolons, or a list, which may
/// be written as a text.
fn scopes(value: &Value) -> Option<String> {
    let all = match value {
        Value::String(text) if text.trim_start().starts_with('[') => {
            scopes(&serde_json::from_str(text).ok()?)?
        }
        Value::String(text) => shown_scopes(text),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).map(shown_scopes).collect::<Vec<_>>().join(" ")
        }
        _ => return None,
    };
    (!all.is_empty()).then_some(all)
}

/// A token type as the header that carries the token has it. What names no scheme is a bearer token.
fn header_scheme(token_type: &str) -> &str {
    let is_scheme =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match &*normal(token_type) {
        "dpop" => "DPoP",
        "mac" => "MAC",
        "pop" => "PoP",
        "basic" => "Basic",
        "" | "bot" | "user" | "app" | "access" | "accesstoken" | "oauth" | "oauth2" | "jwt"
        // RFC 8693, section 2.2.1, and what programs write that have none.
        | "na" | "null" | "none" | "undefined" => "Bearer",
        name if name.starts_with("bearer") || !is_scheme(token_type) => "Bearer",
        _ => token_type,
    }
}

/// What is kept beside a token, for reading: names and values, a secret without its value.
pub fn shown_extra(extra: &SecretString) -> Vec<(String, Option<String>)> {
    let Ok(value) = serde_json::from_str::<Value>(extra.expose_secret()) else { return Vec::new() };
    let show = |leaf: &refusal::Leaf<'_>| (!is_secret(&leaf.name, &leaf.text)).then(|| shown(&leaf.text));
    leaves(&value).iter().map(|leaf| (shown(leaf.key), show(leaf))).collect()
}

#[cfg(test)]
mod tests;
