//! `oauthConnectorDetails`: a string that holds a JSON object, kept byte for byte as it came.
//!
//! [`Details::parse`] says what is wrong with one; [`Details::content`] reads the parts that the form shows;
//! [`Details::with`] writes the form's parts back and leaves everything it does not know untouched.
//! Which keys the form shows is in [`parts`](crate::parts).

use crate::form::{FormContent, Parameter};
use crate::parts::{Part, PartContent};
use crate::provider::REPEATABLE;
use crate::secret_key::is_secret_key;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{cell::RefCell, collections::HashSet, fmt};

/// The characters of a path that an error names.
const PATH_LENGTH: usize = 200;

/// Why a text cannot be kept as connector details.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// The parser's own words; they name a place, never the text itself.
    #[error("is not JSON: {0}")]
    NotJson(String),
    #[error("must be a JSON object")]
    NotAnObject,
    #[error("has a {path} that is not {expected}")]
    WrongType { path: String, expected: &'static str },
    #[error("has the key {path} twice")]
    DuplicateKey { path: String },
    #[error("has a secret at {path}: a client secret has no place in the connector details")]
    Secret { path: String },
}

/// A parsed, valid `oauthConnectorDetails`: its top-level entries in their order, values as written.
#[derive(Debug)]
pub struct Details(Vec<(String, Box<RawValue>)>);

impl Details {
    /// Details of a connection that has none yet.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    pub fn parse(text: &str) -> Result<Self, DetailsError> {
        walk(text)?;
        let entries = read_entries(text).map_err(not_json)?;
        for (key, value) in &entries {
            match Part::all().map(Part::content).find(|content| content.key() == Some(key)) {
                Some(PartContent::Text(..)) => {
                    serde_json::from_str::<String>(value.get())
                        .map_err(|_| DetailsError::WrongType { path: key.clone(), expected: "a string" })?;
                }
                Some(PartContent::Table(..)) => {
                    let expected = "an object of strings";
                    let wrong = |path: Path| DetailsError::WrongType { path: path.in_words(), expected };
                    let table = Path::Member(&Path::Top, key);
                    let inner = read_entries(value.get()).map_err(|_| wrong(table))?;
                    for (name, value) in inner {
                        serde_json::from_str::<String>(value.get())
                            .map_err(|_| wrong(Path::Member(&table, &name)))?;
                    }
                }
                Some(PartContent::Provider | PartContent::Scope) | None => {}
            }
        }
        Ok(Self(entries))
    }

    /// What the form shows of these details.
    pub fn content(&self) -> FormContent {
        let mut content = FormContent::default();
        for part in Part::all() {
            match part.content() {
                PartContent::Text(field, key) => *content.text_mut(field) = self.string(key),
                PartContent::Table(table, key) => *content.rows_mut(table) = self.parameters(key),
                PartContent::Provider | PartContent::Scope => {}
            }
        }
        content
    }

    /// The same details with the form's parts in place of their own. A part that did not change keeps its bytes;
    /// an empty part that was never there stays away, except in details that are written for the first time.
    pub fn with(&self, content: &FormContent) -> String {
        let before = self.content();
        let first_time = self.0.is_empty();
        let mut entries: Vec<(&str, String)> =
            self.0.iter().map(|(key, value)| (key.as_str(), value.get().to_owned())).collect();
        let mut put = |key: &'static str, changed: bool, empty: bool, value: String| match entries
            .iter_mut()
            .find(|(name, _)| *name == key)
        {
            Some(entry) if changed => entry.1 = value,
            None if first_time || !empty => entries.push((key, value)),
            _ => {}
        };
        for part in Part::all() {
            let (key, is_empty, value) = match part.content() {
                PartContent::Text(field, key) => {
                    let text = content.text(field);
                    (key, text.is_empty(), json_string(text))
                }
                PartContent::Table(table, key) => {
                    let rows = content.rows(table);
                    let entries = in_one_entry(rows);
                    let entries = entries.iter().map(|(key, value)| (*key, json_string(value)));
                    (key, rows.is_empty(), json_object(entries))
                }
                PartContent::Provider | PartContent::Scope => continue,
            };
            put(key, !content.has_same_part(&before, part), is_empty, value);
        }
        json_object(entries.into_iter())
    }

    fn raw(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    fn string(&self, key: &str) -> String {
        self.raw(key).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }

    fn parameters(&self, key: &str) -> Vec<Parameter> {
        let entries = self.raw(key).and_then(|raw| read_entries(raw).ok()).unwrap_or_default();
        let mut rows = Vec::new();
        for (key, value) in entries {
            let value: String = serde_json::from_str(value.get()).unwrap_or_default();
            if REPEATABLE.contains(&key.as_str()) {
                rows.extend(value.split('\n').map(|line| Parameter::new(key.clone(), line)));
            } else {
                rows.push(Parameter { key, value });
            }
        }
        rows
    }
}

/// An object has each key once: the values of one that may be sent several times are lines of one string.
fn in_one_entry(rows: &[Parameter]) -> Vec<(&str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for row in rows {
        let first = entries.iter_mut().find(|(key, _)| *key == row.key && REPEATABLE.contains(key));
        match first {
            Some((_, lines)) => *lines = format!("{lines}\n{}", row.value),
            None => entries.push((&row.key, row.value.clone())),
        }
    }
    entries
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json_object<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let inner: Vec<String> = entries.map(|(key, value)| format!("{}:{value}", json_string(key))).collect();
    format!("{{{}}}", inner.join(","))
}

fn not_json(error: serde_json::Error) -> DetailsError {
    DetailsError::NotJson(error.to_string())
}

/// An object's entries in their order, values as written.
fn read_entries(text: &str) -> serde_json::Result<Vec<(String, Box<RawValue>)>> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, Box<RawValue>)>;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let entries = reader.deserialize_map(Entries)?;
    reader.end()?;
    Ok(entries)
}

/// Goes through the whole text once, to its depths, for what must not be there.
fn walk(text: &str) -> Result<(), DetailsError> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let outcome =
        Walk { path: Path::Top, found: &found }.deserialize(&mut reader).and_then(|()| reader.end());
    match (found.into_inner(), outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(not_json(error)),
        (None, Ok(())) => Ok(()),
    }
}

/// Where in the text a value is. It is written out for an error only: a long key may have many values in it.
#[derive(Clone, Copy)]
enum Path<'a> {
    Top,
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl Path<'_> {
    /// As errors name it; of a very long one, its beginning and its end.
    fn in_words(&self) -> String {
        let path = self.to_string();
        let start = path.char_indices().nth(PATH_LENGTH / 2);
        let end = path.char_indices().nth_back(PATH_LENGTH / 2 - 1);
        match (start, end) {
            (Some((start, _)), Some((end, _))) if start < end => {
                format!("{}…{}", &path[..start], &path[end..])
            }
            _ => path,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(Self::Top, key) => f.write_str(key),
            Self::Member(outer, key) => write!(f, "{outer}.{key}"),
            Self::Item(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

struct Walk<'a> {
    path: Path<'a>,
    found: &'a RefCell<Option<DetailsError>>,
}

impl Walk<'_> {
    /// Ends the walk with a typed error; serde itself can only carry text.
    fn stop<E: serde::de::Error>(&self, error: DetailsError) -> E {
        *self.found.borrow_mut() = Some(error);
        E::custom("refused")
    }

    /// At the top only an object will do.
    fn is_inside<E: serde::de::Error>(&self) -> Result<(), E> {
        if matches!(self.path, Path::Top) { Err(self.stop(DetailsError::NotAnObject)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.is_inside()
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.is_inside()?;
        let mut index = 0usize;
        while seq
            .next_element_seed(Walk { path: Path::Item(&self.path, index), found: self.found })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = Path::Member(&self.path, &key);
            if is_secret_key(&key) {
                return Err(self.stop(DetailsError::Secret { path: path.in_words() }));
            }
            if seen.contains(&key) {
                return Err(self.stop(DetailsError::DuplicateKey { path: path.in_words() }));
            }
            map.next_value_seed(Walk { path, found: self.found })?;
            seen.insert(key);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "details_tests.rs"]
mod tests;
