//! Why there is no token, in the words of whoever said so: the members of an error answer by the names that providers
//! give them, and where it has none of those, whatever stands there.

use super::names::{is_secret, normal};
use crate::advice::Redactor;
use serde_json::Value;
use std::fmt;

/// More of an answer than this is not looked at.
const MAX_LEAVES: usize = 60;

/// By preference, in [`normal`] form: where a code stands.
const CODES: [&str; 11] = [
    "error",
    "errorcode",
    "errcode",
    "errortype",
    "type",
    "code",
    "status",
    "faultcode",
    "reason",
    "errorreason",
    "err",
];
const DESCRIPTIONS: [&str; 17] = [
    "errordescription",
    "errormessage",
    "message",
    "errmsg",
    "msg",
    "errorsummary",
    "errordetail",
    "detail",
    "details",
    "description",
    "faultstring",
    "statusmessage",
    "errorreason",
    "reason",
    "title",
    "error",
    "errors",
];
/// What stands where a code might, and says nothing.
const EMPTY_WORDS: [&str; 8] = ["error", "fail", "failed", "failure", "fault", "ok", "success", "bad"];

/// A refusal; one of both is there. Clean, capped and without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A word or a number.
    pub code: Option<String>,
    pub description: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.description) {
            (Some(code), Some(description)) => write!(f, "{code} ({description})"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => Ok(()),
        }
    }
}

impl Refusal {
    /// `None` where the value says nothing at all.
    pub fn read(value: &Value, redactor: &Redactor) -> Option<Self> {
        let leaves = leaves(value);
        let find = |names: &[&str], fits: &dyn Fn(&Leaf<'_>) -> bool| {
            let of_name = |name: &&str| leaves.iter().position(|leaf| leaf.name == *name && fits(leaf));
            names.iter().find_map(of_name)
        };
        let code = find(&CODES, &|leaf| leaf.is_text && is_code(&leaf.text))
            // Of numbers, those of errors only: a status repeats what HTTP says.
            .or_else(|| {
                find(&CODES[..6], &|leaf| {
                    is_number(&leaf.text) && !(leaf.name == "code" && leaf.text == "200")
                })
            });
        let description = find(&DESCRIPTIONS, &|leaf| {
            leaf.is_text && Some(leaf.text.as_str()) != code.map(|at| &*leaves[at].text)
        });
        let shown = |at: usize| redactor.shown(&leaves[at].text);
        let description = description.map(shown).or_else(|| {
            let is_told = |(at, leaf): &(usize, &Leaf<'_>)| {
                let says_more = code.is_none() || (leaf.is_text && leaf.text.contains(char::is_whitespace));
                Some(*at) != code && says_more && !is_secret(&leaf.name, &leaf.text)
            };
            let told: Vec<_> = leaves
                .iter()
                .enumerate()
                .filter(is_told)
                .map(|(_, leaf)| format!("{}: {}", leaf.key, leaf.text))
                .collect();
            (!told.is_empty()).then(|| redactor.shown(&told.join(", ")))
        });
        let code = code.map(shown);
        (code.is_some() || description.is_some()).then_some(Self { code, description })
    }

    /// What a person or a page said, with no code.
    pub(super) fn of_words(words: &str, redactor: &Redactor) -> Self {
        Self { code: None, description: Some(redactor.shown(words)) }
    }
}

/// A text, number or truth value of an answer.
pub(super) struct Leaf<'a> {
    /// The member that it is the value of, or of the list that it is in.
    pub key: &'a str,
    /// The same in [`normal`] form.
    pub name: String,
    pub text: String,
    pub is_text: bool,
}

/// The first leaves of a value, from outside to inside.
pub(super) fn leaves(value: &Value) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    let mut level = vec![("", value)];
    while !level.is_empty() && leaves.len() < MAX_LEAVES {
        let mut next = Vec::new();
        for (key, value) in level {
            let (text, is_text) = match value {
                Value::Object(members) => {
                    next.extend(members.iter().map(|(key, value)| (key.as_str(), value)));
                    continue;
                }
                Value::Array(items) => {
                    next.extend(items.iter().map(|item| (key, item)));
                    continue;
                }
                Value::Null => continue,
                Value::String(text) => (text.trim().to_owned(), true),
                Value::Number(_) | Value::Bool(_) => (value.to_string(), false),
            };
            if !text.is_empty() {
                leaves.push(Leaf { key, name: normal(key), text, is_text });
            }
        }
        level = next;
    }
    leaves.truncate(MAX_LEAVES);
    leaves
}

/// A whole number that is not 0.
fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number != 0)
}

fn is_code(text: &str) -> bool {
    let is_address = text.contains("://") || text.starts_with("about:");
    text.len() <= 100
        && !text.contains(char::is_whitespace)
        && !is_address
        && !EMPTY_WORDS.contains(&&*text.to_ascii_lowercase())
        && text.parse::<f64>().is_err()
}
