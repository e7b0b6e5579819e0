//! Values that an account used before, by the input that they are offered in.

use serde::{Deserialize, Serialize};

/// A value that this account has used before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub field: SuggestionField,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SuggestionField {
    BaseUrl,
    CompanyId,
    ClientId,
    AuthorizationKey,
    AuthorizationValue,
    AccessTokenKey,
    AccessTokenValue,
}

impl SuggestionField {
    pub const ALL: [Self; 7] = [
        Self::BaseUrl,
        Self::CompanyId,
        Self::ClientId,
        Self::AuthorizationKey,
        Self::AuthorizationValue,
        Self::AccessTokenKey,
        Self::AccessTokenValue,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::CompanyId => "company_id",
            Self::ClientId => "client_id",
            Self::AuthorizationKey => "authorization_key",
            Self::AuthorizationValue => "authorization_value",
            Self::AccessTokenKey => "access_token_key",
            Self::AccessTokenValue => "access_token_value",
        }
    }
}
