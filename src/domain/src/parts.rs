//! The pieces of the form that are compared, chosen and told as a whole, and where each is saved.

use crate::fields::{Field, Table, TextField};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// A piece of the form; all that is said of the provider is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
pub enum Part {
    BaseUrl,
    CompanyId,
    ClientId,
    Authorization,
    AccessToken,
    Provider,
    AppliesTo,
}

/// What a part consists of, and so where it is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartContent {
    /// A string of `oauthConnectorDetails`, by its key.
    Text(TextField, &'static str),
    /// An object of strings of `oauthConnectorDetails`, by its key.
    Table(Table, &'static str),
    /// The settings of the provider, beside the details.
    Provider,
    /// Says where the others are saved, and is kept with the connection.
    Scope,
}

impl PartContent {
    /// Its key in `oauthConnectorDetails`.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::Text(_, key) | Self::Table(_, key) => Some(key),
            Self::Provider | Self::Scope => None,
        }
    }
}

impl Part {
    pub fn content(self) -> PartContent {
        match self {
            Self::BaseUrl => PartContent::Text(TextField::BaseUrl, "baseURL"),
            Self::CompanyId => PartContent::Text(TextField::CompanyId, "companyId"),
            Self::ClientId => PartContent::Text(TextField::ClientId, "clientId"),
            Self::Authorization => PartContent::Table(Table::Authorization, "authParams"),
            Self::AccessToken => PartContent::Table(Table::AccessToken, "accessTokenParams"),
            Self::Provider => PartContent::Provider,
            Self::AppliesTo => PartContent::Scope,
        }
    }

    /// The part's name in forms, fingerprints and suggestions.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::CompanyId => "company_id",
            Self::ClientId => "client_id",
            Self::Authorization => "authorization",
            Self::AccessToken => "access_token",
            Self::Provider => "provider",
            Self::AppliesTo => "every_environment",
        }
    }

    pub fn label(self) -> &'static str {
        match self.content() {
            PartContent::Text(field, _) => field.about().label,
            PartContent::Table(table, _) => table.label(),
            PartContent::Provider => "Identity provider",
            PartContent::Scope => "Applies to",
        }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        Self::VARIANTS.iter().copied()
    }

    /// The parts that are saved; the scope says only where they go.
    pub fn details() -> impl Iterator<Item = Self> {
        Self::all().filter(|part| part.content() != PartContent::Scope)
    }

    /// Its fields.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        Field::all().filter(move |field| field.part() == self)
    }
}
