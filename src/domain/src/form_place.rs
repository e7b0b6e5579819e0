//! Advice about a failure, and the places of the form that it leads to: each has a label to be read and an element to
//! jump to.

use crate::{
    fields::{MenuField, SwitchField, Table, TextField},
    tokens::SecretField,
};
use serde::{Deserialize, Serialize};

/// A likely cause of a failure, in a sentence or two that say what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    pub text: String,
    /// What is to be changed, where it is on the form.
    pub place: Option<FormPlace>,
    /// The provider's page where it is looked up or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<ProviderPage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPage {
    pub address: String,
    pub label: String,
}

impl Cause {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), place: None, page: None }
    }

    pub fn at(self, place: FormPlace) -> Self {
        Self { place: Some(place), ..self }
    }

    pub fn with_page(self, page: Option<ProviderPage>) -> Self {
        Self { page, ..self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormPlace {
    Text(TextField),
    Menu(MenuField),
    Switch(SwitchField),
    Table(Table),
    Secret(SecretField),
    RedirectUri,
}

impl FormPlace {
    pub fn label(self) -> &'static str {
        match self {
            Self::Text(field) => field.about().label,
            Self::Menu(field) => field.about().label,
            Self::Switch(field) => field.about().label,
            Self::Table(table) => table.label(),
            Self::Secret(SecretField::ClientSecret) => "Client Secret",
            Self::Secret(SecretField::Password) => "Password",
            Self::RedirectUri => "Redirect URI",
        }
    }

    /// The id of its element.
    pub fn id(self) -> String {
        match self {
            Self::Text(field) => field.about().id(),
            Self::Menu(field) => field.about().id(),
            Self::Switch(field) => field.about().id(),
            Self::Table(table) => format!("{}-add", table.slug()),
            Self::Secret(field) => field.input().to_owned(),
            Self::RedirectUri => "redirect-uri".to_owned(),
        }
    }
}
