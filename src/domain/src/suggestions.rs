//! Values that an account used before, by the input that they are offered in.

use crate::{
    fields::{Table, TextField},
    form::FormContent,
    parts::{Part, PartContent},
};
use serde::{Deserialize, Serialize};

/// A value that this account has used before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub field: SuggestionField,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SuggestionField {
    Text(TextField),
    Key(Table),
    Value(Table),
}

impl SuggestionField {
    /// The inputs of what the details hold.
    pub fn all() -> impl Iterator<Item = Self> {
        Part::all().flat_map(|part| match part.content() {
            PartContent::Text(field, _) => vec![Self::Text(field)],
            PartContent::Table(table, _) => vec![Self::Key(table), Self::Value(table)],
            PartContent::Provider | PartContent::Scope => Vec::new(),
        })
    }

    /// As it is stored.
    pub fn name(self) -> String {
        match self {
            Self::Text(field) => field.about().name.to_owned(),
            Self::Key(table) => format!("{}_key", table.part().name()),
            Self::Value(table) => format!("{}_value", table.part().name()),
        }
    }

    /// The id of the list that inputs offer it from.
    pub fn list(self) -> String {
        match self {
            Self::Text(field) => format!("{}-earlier", field.about().id()),
            Self::Key(table) => format!("{}-keys", table.slug()),
            Self::Value(table) => format!("{}-values", table.slug()),
        }
    }

    /// What stands in these inputs.
    pub fn values(self, content: &FormContent) -> Vec<&str> {
        match self {
            Self::Text(field) => vec![content.text(field)],
            Self::Key(table) => content.rows(table).iter().map(|row| &*row.key).collect(),
            Self::Value(table) => content.rows(table).iter().map(|row| &*row.value).collect(),
        }
    }
}
