//! A post of the form: what its page started from, and what became of it.

use crate::{form::FormContent, parts::Part};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a page started from. The page posts it back, so that the server can tell what was changed there from what was
/// changed elsewhere meanwhile: two tabs never undo each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Base {
    /// The saved version that the content started from; 0 for none.
    pub version: i64,
    /// What the page showed.
    pub content: FormContent,
    /// The saved versions in the instance's other environments, by their ids.
    pub others: BTreeMap<String, i64>,
}

impl Base {
    /// Reads what a page posted. A page that was open while the program was exchanged posts none, or one that cannot be
    /// read. Then it counts as begun on an empty form where nothing was saved: all that stands in it counts as typed
    /// there, so nothing of it is lost, and where something else is saved, both are shown and the admin chooses.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As the page posts it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What was chosen where somebody else had saved: `saved` or `mine` by the names of the parts in question, and the
/// saved `version` that the choices are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices(BTreeMap<String, String>);

impl Choices {
    pub const MINE: &'static str = "mine";
    pub const SAVED: &'static str = "saved";
    const VERSION: &'static str = "version";

    pub fn version(&self) -> Option<i64> {
        self.0.get(Self::VERSION)?.parse().ok()
    }

    /// This admin's own value was chosen.
    pub fn is_mine(&self, part: Part) -> bool {
        self.0.get(part.name()).is_some_and(|choice| choice == Self::MINE)
    }
}

/// As a page posts them: names of parts, and `version`, with what was chosen.
impl FromIterator<(String, String)> for Choices {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(posted: T) -> Self {
        Self(posted.into_iter().collect())
    }
}

/// What became of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Loaded,
    Kept,
    Saved,
    Discarded,
    /// Not saved: there are problems.
    Refused,
    /// Not saved: somebody else did.
    Conflicting,
    /// Not saved for every environment: somebody saved in another one since the page was loaded.
    ChangedElsewhere,
    /// Nothing was done: resetting takes a token with it, and that is asked first.
    ResetToConfirm,
    /// Nothing was done: forgetting a token stops what uses it, and that is asked first.
    RevokeToConfirm,
    /// The token is forgotten.
    Forgotten,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_comes_back_as_it_was_and_an_unreadable_one_is_an_empty_form() {
        let content = FormContent { client_id: "\0\r\n\u{2028}\"ü🗝".into(), ..FormContent::default() };
        let base = Base { version: 7, content, others: [("env-2".to_owned(), 3)].into() };
        assert_eq!(Base::parse(&base.to_json()), base);
        for text in ["", "{}", "null", "[]", r#"{"version":"x"}"#, r#"{"content":{"provider":{"later":1}}}"#]
        {
            assert_eq!(Base::parse(text), Base::default(), "{text}");
        }
        assert_eq!(Base::parse(r#"{"version":3}"#).version, 3);
    }

    #[test]
    fn choices_are_posted_by_the_names_of_parts() {
        let posted = [("version", "4"), ("client_id", "mine"), ("provider", "mine"), ("scopes", "saved")];
        let choices: Choices =
            posted.into_iter().map(|(part, choice)| (part.to_owned(), choice.to_owned())).collect();
        assert_eq!(choices.version(), Some(4));
        let mine: Vec<_> = Part::all().filter(|part| choices.is_mine(*part)).collect();
        assert_eq!(mine, [Part::ClientId, Part::Provider]);
        assert_eq!(serde_json::json!(choices)["client_id"], "mine");
        assert_eq!(Choices::default().version(), None);
    }
}
