//! The body of an answer as one JSON value, however it was written: in any charset, with a byte-order mark, as JSON
//! with something around it, as a form, or as JSON inside of a JSON text.

use crate::outbound::Answer;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// # Errors
/// What came instead, in its own words.
pub(super) fn read(answer: &Answer) -> Result<Value, String> {
    let text = text(answer);
    let text = text.trim();
    let found = serde_json::from_str(text).ok().or_else(|| enclosed_json(text)).or_else(|| form(text));
    match found {
        Some(Value::String(inner)) => serde_json::from_str(&inner).map_err(|_| words(answer, &inner)),
        Some(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
        _ => Err(words(answer, text)),
    }
}

/// Texts that are JSON objects are read as such.
pub(super) fn unfolded(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        Value::Array(items) => items.iter().map(unfolded).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), unfolded(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// In the charset that a byte-order mark or the media type names.
fn text(answer: &Answer) -> String {
    let bytes = answer.body();
    let kind = answer.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let charset = kind.split_once("charset=");
    let charset =
        charset.map(|(_, name)| name.split(';').next().unwrap_or_default().trim_matches(['"', '\'', ' ']));
    let named = charset.and_then(|name| Encoding::for_label(name.as_bytes()));
    let guessed = if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 };
    named.unwrap_or(guessed).decode(bytes).0.into_owned()
}

/// JSON that is called as a function or has a prefix against inclusion. In pages there is JSON that is no answer.
fn enclosed_json(text: &str) -> Option<Value> {
    let (begin, end) = (text.find('{')?, text.rfind('}')?);
    if text.starts_with('<') || begin > end {
        return None;
    }
    serde_json::from_str(&text[begin..=end]).ok()
}

fn form(text: &str) -> Option<Value> {
    let text = text.trim_start_matches(['?', '#', '&']);
    if !text.contains('=') || text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '{')) {
        return None;
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']'))
    };
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !is_name(&name) {
            return None;
        }
        members.entry(name.into_owned()).or_insert_with(|| value.into_owned().into());
    }
    Some(members.into())
}

/// What a person would read there; not where a token stands in it that could not be read.
fn words(answer: &Answer, text: &str) -> String {
    if names_a_token(text) {
        return "a token, written in a way that cannot be read".to_owned();
    }
    let is_page = answer.content_type.as_deref().is_some_and(|kind| kind.starts_with("text/html"))
        || text.get(..5).is_some_and(|start| matches!(&*start.to_ascii_lowercase(), "<html" | "<!doc"));
    let claims_json = answer.content_type.as_deref().is_some_and(|kind| kind.contains("json"));
    let visible = without_tags(text);
    match (is_page, visible.is_empty()) {
        (true, true) => "a page".to_owned(),
        (true, false) => format!("a page: {visible}"),
        (false, true) => "an empty answer".to_owned(),
        (false, false) if claims_json => format!("not JSON: {visible}"),
        (false, false) => visible,
    }
}

/// Whether a token has its name before it, as in JSON that is cut off, in XML, or in a form with something around it.
fn names_a_token(text: &str) -> bool {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '"' | '\'' | '\\'))
        .flat_map(char::to_lowercase)
        .collect();
    ["accesstoken", "refreshtoken", "idtoken"].iter().any(|name| {
        text.split(name).skip(1).any(|after| {
            after.strip_prefix([':', '=', '>']).is_some_and(|value| value.starts_with(char::is_alphanumeric))
        })
    })
}

fn without_tags(text: &str) -> String {
    let mut visible = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        visible.push_str(before);
        visible.push(' ');
        let is_hidden = ["script", "style"]
            .iter()
            .any(|name| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        rest = match is_hidden {
            true => tag.find("</").map_or("", |end| &tag[end..]),
            false => tag.split_once('>').map_or("", |(_, rest)| rest),
        };
    }
    visible.push_str(rest);
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}
