//! `oauthConnectorDetails`: a string that holds a JSON object, kept byte for byte as it came.
//!
//! [`Details::parse`] says what is wrong with one; [`Details::content`] reads the parts that the form shows;
//! [`Details::with`] writes the form's parts back and leaves everything it does not know untouched.
//! To show one more key in the form: a field in [`FormContent`], and a line in each of those two functions.

use super::form::{FormContent, Parameter};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{cell::RefCell, collections::HashSet, fmt};

pub const BASE_URL: &str = "baseURL";
pub const COMPANY_ID: &str = "companyId";
pub const CLIENT_ID: &str = "clientId";
pub const AUTHORIZATION: &str = "authParams";
pub const ACCESS_TOKEN: &str = "accessTokenParams";

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
            match key.as_str() {
                BASE_URL | COMPANY_ID | CLIENT_ID => {
                    serde_json::from_str::<String>(value.get())
                        .map_err(|_| DetailsError::WrongType { path: key.clone(), expected: "a string" })?;
                }
                AUTHORIZATION | ACCESS_TOKEN => {
                    let expected = "an object of strings";
                    let wrong = |path| DetailsError::WrongType { path, expected };
                    let inner = read_entries(value.get()).map_err(|_| wrong(key.clone()))?;
                    for (name, value) in inner {
                        serde_json::from_str::<String>(value.get())
                            .map_err(|_| wrong(format!("{key}.{name}")))?;
                    }
                }
                _ => {}
            }
        }
        Ok(Self(entries))
    }

    /// What the form shows of these details.
    pub fn content(&self) -> FormContent {
        FormContent {
            base_url: self.string(BASE_URL),
            company_id: self.string(COMPANY_ID),
            client_id: self.string(CLIENT_ID),
            authorization: self.parameters(AUTHORIZATION),
            access_token: self.parameters(ACCESS_TOKEN),
            ..FormContent::default()
        }
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
        for (key, old, new) in [
            (BASE_URL, &before.base_url, &content.base_url),
            (COMPANY_ID, &before.company_id, &content.company_id),
            (CLIENT_ID, &before.client_id, &content.client_id),
        ] {
            put(key, old != new, new.is_empty(), json_string(new));
        }
        for (key, old, new) in [
            (AUTHORIZATION, &before.authorization, &content.authorization),
            (ACCESS_TOKEN, &before.access_token, &content.access_token),
        ] {
            put(
                key,
                old != new,
                new.is_empty(),
                json_object(new.iter().map(|p| (p.key.as_str(), json_string(&p.value)))),
            );
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
        entries
            .into_iter()
            .map(|(key, value)| Parameter {
                key,
                value: serde_json::from_str(value.get()).unwrap_or_default(),
            })
            .collect()
    }
}

/// Whether a key would carry a client secret, however it is spelled (`clientSecret`, `client_secret`, `Client-Secret`).
pub fn is_secret_key(key: &str) -> bool {
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .eq("clientsecret".chars())
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
        Walk { path: String::new(), found: &found }.deserialize(&mut reader).and_then(|()| reader.end());
    match (found.into_inner(), outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(not_json(error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Walk<'a> {
    path: String,
    found: &'a RefCell<Option<DetailsError>>,
}

impl Walk<'_> {
    /// Ends the walk with a typed error; serde itself can only carry text.
    fn stop<E: serde::de::Error>(&self, error: DetailsError) -> E {
        *self.found.borrow_mut() = Some(error);
        E::custom("refused")
    }

    /// At the top only an object will do.
    fn leaf<E: serde::de::Error>(self) -> Result<(), E> {
        if self.path.is_empty() { Err(self.stop(DetailsError::NotAnObject)) } else { Ok(()) }
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
        self.leaf()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.leaf()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.leaf()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.leaf()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.leaf()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.leaf()
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.path.is_empty() {
            return Err(self.stop(DetailsError::NotAnObject));
        }
        let mut index = 0usize;
        while seq
            .next_element_seed(Walk { path: format!("{}[{index}]", self.path), found: self.found })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if is_secret_key(&key) {
                return Err(self.stop(DetailsError::Secret { path }));
            }
            if !seen.insert(key) {
                return Err(self.stop(DetailsError::DuplicateKey { path }));
            }
            map.next_value_seed(Walk { path, found: self.found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: &str = r#"{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}"#;

    #[test]
    fn the_seeds_details_fill_the_form_and_an_untouched_form_writes_the_same_bytes() {
        let details = Details::parse(SEED).expect("valid");
        let content = details.content();
        assert_eq!(content.base_url, "https://baseURL.com");
        assert_eq!(content.authorization, [Parameter::new("key", "value")]);
        assert_eq!(details.with(&content), SEED);
    }

    #[test]
    fn unknown_keys_keep_their_bytes_and_their_place() {
        let text =
            r#"{ "x" : 1.50e3, "baseURL":"a", "deep":{"z": [ 1 ,2], "big": 123456789012345678901234567890}}"#;
        let details = Details::parse(text).expect("valid");
        let mut content = details.content();
        content.base_url = "https://b\"é".into();
        content.authorization.push(Parameter::new("k", "v"));
        assert_eq!(
            details.with(&content),
            r#"{"x":1.50e3,"baseURL":"https://b\"é","deep":{"z": [ 1 ,2], "big": 123456789012345678901234567890},"authParams":{"k":"v"}}"#
        );
    }

    #[test]
    fn first_details_have_all_five_parts() {
        assert_eq!(
            Details::empty().with(&FormContent::default()),
            r#"{"baseURL":"","companyId":"","clientId":"","authParams":{},"accessTokenParams":{}}"#
        );
    }

    #[test]
    fn what_must_not_be_kept_is_named() {
        let secret = |path: &str| DetailsError::Secret { path: path.into() };
        let twice = |path: &str| DetailsError::DuplicateKey { path: path.into() };
        let wrong = |path: &str, expected| DetailsError::WrongType { path: path.into(), expected };
        for (text, error) in [
            ("[]", DetailsError::NotAnObject),
            ("[{}]", DetailsError::NotAnObject),
            ("\"x\"", DetailsError::NotAnObject),
            ("null", DetailsError::NotAnObject),
            ("12", DetailsError::NotAnObject),
            (r#"{"clientSecret":"s"}"#, secret("clientSecret")),
            (r#"{"a":[{},{"b":{"client_secret":null}}]}"#, secret("a[1].b.client_secret")),
            (r#"{"authParams":{"Client-Secret":"s"}}"#, secret("authParams.Client-Secret")),
            (r#"{"a":1,"a":1}"#, twice("a")),
            (r#"{"a":{"b":1,"c":2,"b":3}}"#, twice("a.b")),
            (r#"{"a":1,"\u0061":1}"#, twice("a")),
            (r#"{"baseURL":1}"#, wrong("baseURL", "a string")),
            (r#"{"clientId":null}"#, wrong("clientId", "a string")),
            (r#"{"authParams":[]}"#, wrong("authParams", "an object of strings")),
            (r#"{"accessTokenParams":{"k":1}}"#, wrong("accessTokenParams.k", "an object of strings")),
        ] {
            assert_eq!(Details::parse(text).expect_err(text), error, "{text}");
        }
        for text in ["", "{", "{}x", "{'a':1}", "{\"a\":\"\n\"}", &"{\"a\":".repeat(200)] {
            assert!(matches!(Details::parse(text), Err(DetailsError::NotJson(_))), "{text}");
        }
    }

    /// JSON as strangers write it: any value, white space anywhere between tokens.
    fn json() -> impl Strategy<Value = String> {
        let gap = || prop::sample::select(vec!["", " ", "\n", "\t  "]);
        let text = || any::<String>().prop_map(|text| json_string(&text));
        let leaf = prop_oneof![
            text(),
            any::<i64>().prop_map(|number| number.to_string()),
            Just("1.50e-3".to_owned()),
            Just("true".to_owned()),
            Just("null".to_owned()),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            let members = prop::collection::btree_map("[a-y]{1,6}", (gap(), inner.clone(), gap()), 0..4);
            prop_oneof![
                (prop::collection::vec(inner, 0..4), gap())
                    .prop_map(|(items, gap)| { format!("[{gap}{}{gap}]", items.join(&format!("{gap},"))) }),
                members.prop_map(|members| {
                    let members = members
                        .into_iter()
                        .map(|(key, (a, value, b))| format!("{a}\"{key}\"{b}:{a}{value}{b}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_edit_of_one_field_leaves_every_stranger_as_it_was(
            strangers in prop::collection::btree_map("z[a-z0-9]{0,8}", json(), 0..6),
            company in any::<String>(),
        ) {
            let members: Vec<String> = strangers.iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
            let text = format!("{{ \"companyId\":\"before\"{}{} }}", if members.is_empty() { "" } else { " , " }, members.join(" ,"));
            let details = Details::parse(&text).expect("valid");
            let edited = details.with(&FormContent { company_id: company.clone(), ..details.content() });
            let again = Details::parse(&edited).expect("still valid");
            prop_assert_eq!(&again.content().company_id, &company);
            for (key, value) in &strangers {
                prop_assert_eq!(again.raw(key), Some(value.as_str()));
            }
        }
    }
}
