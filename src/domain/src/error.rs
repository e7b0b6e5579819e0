//! What a person or a client may see of an error: a code, a sentence, a field where there is one, and the request's
//! id. Nothing internal is in here; what happened inside is logged where a [`AppError`] is made from it.

use serde::{Deserialize, Serialize};

/// `extensions.code` of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    Unauthorized,
    Forbidden,
    NotFound,
    MissingSpaceId,
    SpaceNotFound,
    IpackInstanceIdInvalid,
    IpackNotFoundInSpace,
    BadUserInput,
    Conflict,
    TooManyRequests,
    /// Not an error of the request: the database is busy, full or away, and the same may work in a moment.
    TemporarilyUnavailable,
    GenericSystemError,
    /// The browser could not reach the server.
    Unreachable,
}

impl ErrorCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::MissingSpaceId => "MISSING_SPACE_ID",
            Self::SpaceNotFound => "SPACE_NOT_FOUND",
            Self::IpackInstanceIdInvalid => "IPACK_INSTANCE_ID_INVALID",
            Self::IpackNotFoundInSpace => "IPACK_NOT_FOUND_IN_SPACE",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::TooManyRequests => "TOO_MANY_REQUESTS",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::GenericSystemError => "GENERIC_SYSTEM_ERROR",
            Self::Unreachable => "UNREACHABLE",
        }
    }

    /// The HTTP status of an answer that is this error and nothing else.
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound
            | Self::SpaceNotFound
            | Self::IpackInstanceIdInvalid
            | Self::IpackNotFoundInSpace => 404,
            Self::MissingSpaceId | Self::BadUserInput => 400,
            Self::Conflict => 409,
            Self::TooManyRequests => 429,
            Self::TemporarilyUnavailable | Self::Unreachable => 503,
            Self::GenericSystemError => 500,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    pub code: ErrorCode,
    /// A sentence for a person.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl AppError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, request_id: None }
    }

    pub fn in_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::BadUserInput, message) }
    }

    /// There is no such page, or not for this person; the two are not told apart.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here.")
    }

    pub fn unauthorized() -> Self {
        Self::new(ErrorCode::Unauthorized, "Sign in to go on.")
    }
}
