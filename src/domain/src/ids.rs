//! The five ids that together name one connection, and what an id may look like.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The longest id, in bytes: the five parts of a key together still fit one entry of a PostgreSQL B-tree index.
pub const MAX_ID_BYTES: usize = 512;

/// Names the details of one connection: all five parts together, never fewer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ConnectionKey {
    /// `catalogGuid`
    pub space: String,
    /// `integrationPackInstanceId`
    pub instance: String,
    /// `envId`
    pub environment: String,
    /// `processId`
    pub process: String,
    /// `connectionId`
    pub connection: String,
}

impl ConnectionKey {
    /// The address of this connection's form, each id percent-encoded as one path segment.
    pub fn form_path(&self) -> String {
        format!(
            "{}/environments/{}/processes/{}/connections/{}",
            instance_path(&self.space, &self.instance),
            segment(&self.environment),
            segment(&self.process),
            segment(&self.connection),
        )
    }
}

impl ConnectionKey {
    /// The key whose form has this address; `None` for any other text.
    pub fn of_form_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let [
            "",
            "spaces",
            space,
            "instances",
            instance,
            "environments",
            environment,
            "processes",
            process,
            "connections",
            connection,
        ] = parts[..]
        else {
            return None;
        };
        Some(Self {
            space: unsegment(space)?,
            instance: unsegment(instance)?,
            environment: unsegment(environment)?,
            process: unsegment(process)?,
            connection: unsegment(connection)?,
        })
    }
}

/// The address of an instance's page.
pub fn instance_path(space: &str, instance: &str) -> String {
    format!("/spaces/{}/instances/{}", segment(space), segment(instance))
}

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes an id, so that any is one path segment.
pub fn segment(id: &str) -> String {
    utf8_percent_encode(id, RESERVED).to_string()
}

/// Undoes [`segment`]; `None` where the escapes are not UTF-8. A `%` without two digits stands for itself.
pub fn unsegment(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// Whether a text may serve as an id; the error is a sentence without the id's name.
pub fn check_id(id: &str) -> Result<(), &'static str> {
    if id.trim().is_empty() {
        return Err("must not be empty");
    }
    if id.len() > MAX_ID_BYTES {
        return Err("must not be longer than 512 bytes");
    }
    if id.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    // A browser folds these two away in an address, however they are escaped.
    if id == "." || id == ".." {
        return Err("must not be a dot or two dots alone");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_one_segment_and_comes_back() {
        for id in ["1", "a/b", "ä ö", "100%", "%41", "?q#f", "a+b&c=d", "日本"] {
            let encoded = segment(id);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{encoded}");
            assert_eq!(unsegment(&encoded).as_deref(), Some(id));
        }
        assert_eq!(unsegment("%FF"), None);
        assert_eq!(unsegment("100%").as_deref(), Some("100%"));
    }

    #[test]
    fn a_key_comes_back_from_its_forms_address() {
        let key = ConnectionKey {
            space: "a/b".into(),
            instance: "ü ?".into(),
            environment: "%".into(),
            process: "p".into(),
            connection: "#".into(),
        };
        assert_eq!(ConnectionKey::of_form_path(&key.form_path()), Some(key.clone()));
        for wrong in ["", "/", "a", &key.form_path()[1..], &format!("{}/", key.form_path())] {
            assert_eq!(ConnectionKey::of_form_path(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_that_no_address_or_index_can_hold_are_refused() {
        for bad in ["", "  ", ".", "..", "a\0b", "a\nb", &"x".repeat(513)] {
            assert!(check_id(bad).is_err(), "{bad:?}");
        }
        for good in ["test-101", "796eeeb4-1b2f-4965-898a-7e443", "a b", "...", "ü", &"x".repeat(512)] {
            assert!(check_id(good).is_ok(), "{good:?}");
        }
    }
}
