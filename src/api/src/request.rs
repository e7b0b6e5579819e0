//! From the bytes of a body to GraphQL requests. An error here is the whole answer: there was no request.
//!
//! Messages name places and fields, never what stood there.

use crate::scan::scan;
use async_graphql::Variables;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{error::Category, value::RawValue};
use std::fmt::Display;

pub const MAX_BATCH: usize = 10;

/// One request, read but not yet understood.
pub struct GraphQlRequest {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

pub enum Body {
    One(GraphQlRequest),
    Batch(Vec<GraphQlRequest>),
}

impl Body {
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Batch(batch) => batch.len(),
        }
    }
}

/// Why a body holds no request, and where there is one, in which member.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    pub field: Option<&'static str>,
    pub message: String,
}

impl Malformed {
    fn body(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }

    fn member(field: &'static str, message: impl Display) -> Self {
        Self { field: Some(field), message: format!("{field} {message}.") }
    }

    fn not_json(error: &serde_json::Error) -> Self {
        Self::body(format!("The body is not JSON: see line {}, column {}.", error.line(), error.column()))
    }
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    query: Option<&'a RawValue>,
    #[serde(borrow, rename = "operationName")]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

pub fn read(body: &[u8]) -> Result<Body, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::body("The body is not UTF-8."))?;
    // RFC 8259 lets a parser ignore a byte-order mark, and some clients send one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| Malformed::not_json(&error))?;
    if !whole.get().starts_with('[') {
        return read_one(whole).map(Body::One);
    }
    let batch: Vec<&RawValue> =
        serde_json::from_str(whole.get()).map_err(|error| Malformed::not_json(&error))?;
    match batch.len() {
        0 => Err(Malformed::body("The batch is empty.")),
        1..=MAX_BATCH => Ok(Body::Batch(batch.into_iter().map(read_one).collect::<Result<_, _>>()?)),
        count => Err(Malformed::body(format!("The batch has {count} requests; {MAX_BATCH} are allowed."))),
    }
}

fn read_one(request: &RawValue) -> Result<GraphQlRequest, Malformed> {
    if !request.get().starts_with('{') {
        return Err(Malformed::body("A request must be a JSON object with a query."));
    }
    let members: Members = serde_json::from_str(request.get()).map_err(|error| match error.classify() {
        // The one thing that the shape of this object can have wrong.
        Category::Data => Malformed::body("A member of the request stands in it twice."),
        _ => Malformed::not_json(&error),
    })?;
    let query = members.query.ok_or_else(|| Malformed::member("query", "is missing"))?;
    member::<serde::de::IgnoredAny>("extensions", members.extensions, '{', "must be an object")?;
    let operation_name = member("operationName", members.operation_name, '"', "must be a string")?;
    Ok(GraphQlRequest {
        query: member("query", Some(query), '"', "must be a string")?.unwrap_or_default(),
        // Some clients always send it, empty where the operation has no name.
        operation_name: operation_name.filter(|name: &String| !name.is_empty()),
        variables: member("variables", members.variables, '{', "must be an object")?.unwrap_or_default(),
    })
}

/// A member that begins as values of its type do.
fn member<T: DeserializeOwned>(
    name: &'static str,
    raw: Option<&RawValue>,
    begins: char,
    expected: &str,
) -> Result<Option<T>, Malformed> {
    let Some(raw) = raw else { return Ok(None) };
    if !raw.get().starts_with(begins) {
        return Err(Malformed::member(name, expected));
    }
    scan(raw.get()).map_err(|fault| Malformed::member(name, fault))?;
    // A number out of range, or half of a surrogate pair.
    let unreadable = |_| Malformed::member(name, "holds a number or a character that cannot be read");
    serde_json::from_str(raw.get()).map(Some).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_request_is_named_without_being_repeated() {
        let many = format!("[{}]", ["{}"; 11].join(","));
        for (body, field, message) in [
            ("", None, "The body is not JSON: see line 1, column 0."),
            ("{\"query\":\n SECRET}", None, "The body is not JSON: see line 2, column 2."),
            ("{} SECRET", None, "The body is not JSON: see line 1, column 4."),
            ("\"SECRET\"", None, "A request must be a JSON object with a query."),
            ("null", None, "A request must be a JSON object with a query."),
            ("[]", None, "The batch is empty."),
            ("[[\"{SECRET}\"]]", None, "A request must be a JSON object with a query."),
            (&many, None, "The batch has 11 requests; 10 are allowed."),
            ("{}", Some("query"), "query is missing."),
            (r#"{"query":null}"#, Some("query"), "query is missing."),
            (r#"{"query":{"SECRET":1}}"#, Some("query"), "query must be a string."),
            (r#"{"query":"","query":"SECRET"}"#, None, "A member of the request stands in it twice."),
            (r#"{"query":"","variables":"SECRET"}"#, Some("variables"), "variables must be an object."),
            (r#"{"query":"","variables":["SECRET"]}"#, Some("variables"), "variables must be an object."),
            (
                r#"{"query":"","variables":{"a":"SECRET \ud800"}}"#,
                Some("variables"),
                "variables holds a number or a character that cannot be read.",
            ),
            (
                r#"{"query":"","operationName":["SECRET"]}"#,
                Some("operationName"),
                "operationName must be a string.",
            ),
            (r#"{"query":"","extensions":"SECRET"}"#, Some("extensions"), "extensions must be an object."),
        ] {
            let malformed = read(body.as_bytes()).err().unwrap_or_else(|| panic!("{body}"));
            assert_eq!((malformed.field, malformed.message.as_str()), (field, message), "{body}");
        }
        assert_eq!(read(b"\"\xff\"").err().expect("refused").message, "The body is not UTF-8.");
    }

    #[test]
    fn an_empty_operation_name_and_a_byte_order_mark_are_as_good_as_absent() {
        let body = "\u{feff}{\"query\":\"{a}\",\"operationName\":\"\"}";
        assert!(matches!(
            read(body.as_bytes()),
            Ok(Body::One(request)) if request.query == "{a}" && request.operation_name.is_none()
        ));
        let twice = format!("\u{feff}{body}");
        assert!(
            read(twice.as_bytes())
                .is_err_and(|malformed| malformed.message.starts_with("The body is not JSON"))
        );
    }

    #[test]
    fn unknown_members_and_nulls_are_let_be() {
        let body = br#"{"query":"{a}","operationName":null,"variables":null,"extensions":null,"id":[1]}"#;
        assert!(
            matches!(read(body), Ok(Body::One(request)) if request.query == "{a}" && request.variables.is_empty())
        );
        assert!(
            matches!(read(br#" [{"query":"{a}"},{"query":"{b}"}]"#), Ok(Body::Batch(batch)) if batch.len() == 2)
        );
    }
}
