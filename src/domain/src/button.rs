//! The buttons of the connector form, for both halves: what each posts as `intent`, and what it does to the draft.
//!
//! To add a button: a variant here, whose posted name is the variant's own in kebab case, and the compiler names the
//! places that must say what it does.

use crate::fields::Table;
use std::fmt;
use strum::{EnumString, IntoStaticStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Button {
    /// Keep what was typed; what the browser posts by itself.
    Keep,
    /// Put the draft into effect.
    Save,
    /// Go back to what is saved.
    Discard,
    /// Save with the choices made where somebody else had saved.
    Resolve,
    /// Add a blank row to a table.
    #[strum(disabled)]
    AddRow(Table),
    /// Delete a row of a table, counted from 0 as the page showed them.
    #[strum(disabled)]
    DeleteRow(Table, usize),
    EncryptSecret,
    EncryptPassword,
    ResetSecret,
    ResetSecretConfirmed,
    DiscardReplacement,
    Generate,
    /// Refresh the token at once.
    RefreshToken,
    Revoke,
    RevokeConfirmed,
    Preflight,
}

/// What a button does to the draft, before whatever else it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftEffect {
    Keep,
    Save,
    Discard,
}

impl Button {
    /// The button that posts this; `None` where the form has no such button.
    pub fn parse(intent: &str) -> Option<Self> {
        if let Some(table) = intent.strip_prefix("add-") {
            return Table::of_slug(table).map(Self::AddRow);
        }
        if let Some((table, index)) = intent.strip_prefix("delete-").and_then(|row| row.rsplit_once('-')) {
            return Some(Self::DeleteRow(Table::of_slug(table)?, index.parse().ok()?));
        }
        intent.parse().ok()
    }

    pub fn effect(self) -> DraftEffect {
        match self {
            Self::Save | Self::Resolve | Self::EncryptSecret | Self::EncryptPassword | Self::Generate => {
                DraftEffect::Save
            }
            Self::Discard => DraftEffect::Discard,
            Self::Keep
            | Self::AddRow(_)
            | Self::DeleteRow(..)
            | Self::ResetSecret
            | Self::ResetSecretConfirmed
            | Self::DiscardReplacement
            | Self::RefreshToken
            | Self::Revoke
            | Self::RevokeConfirmed
            | Self::Preflight => DraftEffect::Keep,
        }
    }

    /// It keeps, saves or discards the form, and does nothing beyond.
    pub fn is_about_the_form(self) -> bool {
        match self {
            Self::Keep
            | Self::Save
            | Self::Discard
            | Self::Resolve
            | Self::AddRow(_)
            | Self::DeleteRow(..) => true,
            Self::EncryptSecret
            | Self::EncryptPassword
            | Self::ResetSecret
            | Self::ResetSecretConfirmed
            | Self::DiscardReplacement
            | Self::Generate
            | Self::RefreshToken
            | Self::Revoke
            | Self::RevokeConfirmed
            | Self::Preflight => false,
        }
    }
}

/// As it is posted.
impl fmt::Display for Button {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddRow(table) => write!(f, "add-{}", table.slug()),
            Self::DeleteRow(table, index) => write!(f, "delete-{}-{index}", table.slug()),
            named => f.write_str(named.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn the_names_that_forms_post_stay() {
        for intent in [
            "keep",
            "save",
            "discard",
            "resolve",
            "add-authorization",
            "add-access-token",
            "delete-authorization-0",
            "delete-access-token-17",
            "encrypt-secret",
            "encrypt-password",
            "reset-secret",
            "reset-secret-confirmed",
            "discard-replacement",
            "generate",
            "refresh-token",
            "revoke",
            "revoke-confirmed",
            "preflight",
        ] {
            let button = Button::parse(intent).unwrap_or_else(|| panic!("no button {intent}"));
            assert_eq!(button.to_string(), intent);
        }
    }

    #[test]
    fn what_no_button_posts_is_none() {
        for intent in [
            "",
            "Save",
            "save ",
            "nonsense",
            "add-",
            "add-row",
            "add-authorization-0",
            "add-access_token",
            "delete-row",
            "delete-authorization",
            "delete-authorization-",
            "delete-authorization--1",
            "delete-authorization-99999999999999999999",
            "delete-nothing-1",
        ] {
            assert_eq!(Button::parse(intent), None, "{intent}");
        }
    }

    #[test]
    fn a_table_is_named_alike_everywhere() {
        for table in Table::VARIANTS {
            assert_eq!(Table::of_slug(table.slug()), Some(*table));
        }
    }
}
