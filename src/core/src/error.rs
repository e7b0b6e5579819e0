//! What a use case can end with instead of an answer, and the sentence that the outside gets for it.

use ipack_domain::{
    error::{AppError, ErrorCode},
    tokens::ProblemCode,
};
use ipack_storage::{StorageError, write::WriteError};

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("not signed in")]
    Unauthorized,
    #[error("not allowed")]
    Forbidden,
    #[error("no such thing")]
    NotFound,
    #[error("no Space was named")]
    MissingSpace,
    #[error("several Spaces have it")]
    SeveralSpaces,
    #[error("no such Space")]
    SpaceNotFound,
    #[error("no such instance")]
    InstanceInvalid,
    #[error("no such pack")]
    PackNotFound,
    #[error("{field} {message}")]
    BadInput { field: String, message: String },
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Somebody is refreshing the token, and it takes its time.
    #[error("the token is being refreshed")]
    Refreshing,
    /// A secret that cannot be one.
    #[error("{}", .0.message())]
    Secret(ProblemCode),
    /// A sealed value was changed, moved, or sealed with another key.
    #[error("a sealed value does not open")]
    Unopenable,
    #[error("{0}")]
    Internal(&'static str),
}

impl ServiceError {
    /// An error of one field; the message goes on from the field's name: `must not be empty`.
    pub fn bad_input(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadInput { field: field.into(), message: message.into() }
    }

    /// What a write refers to is not there any more: uninstalled meanwhile.
    pub(crate) fn or_not_found(self) -> Self {
        match self {
            Self::Storage(StorageError::Reference) => Self::NotFound,
            other => other,
        }
    }

    /// For the outside. What is internal is logged here, once, and stays inside.
    pub fn into_app_error(self, request_id: &str) -> AppError {
        let internal = |code, message: &str| AppError {
            request_id: Some(request_id.to_owned()),
            ..AppError::new(code, message)
        };
        match self {
            Self::Unauthorized => AppError::unauthorized(),
            Self::Forbidden => AppError::new(ErrorCode::Forbidden, "You may not do this."),
            Self::NotFound => AppError::not_found(),
            Self::MissingSpace => AppError::new(ErrorCode::MissingSpaceId, "No Space was named."),
            Self::SeveralSpaces => {
                AppError::new(ErrorCode::MissingSpaceId, "Several Spaces have this: one must be named.")
            }
            Self::SpaceNotFound => AppError::new(ErrorCode::SpaceNotFound, "There is no such Space."),
            Self::InstanceInvalid => AppError::new(
                ErrorCode::IpackInstanceIdInvalid,
                "There is no such integration pack instance.",
            ),
            Self::PackNotFound => AppError::new(
                ErrorCode::IpackNotFoundInSpace,
                "There is no such integration pack in this Space.",
            ),
            Self::BadInput { field, message } => {
                let sentence = format!("{field} {message}.");
                AppError::in_field(field, sentence)
            }
            Self::Conflict(message) => AppError::new(ErrorCode::Conflict, message),
            Self::Storage(error @ (StorageError::Busy(_) | StorageError::Undone(_))) => {
                tracing::warn!(request_id, error = %error, "the database is busy");
                internal(ErrorCode::TemporarilyUnavailable, "The database is busy. Try again in a moment.")
            }
            Self::Storage(error @ StorageError::Failing(_)) => {
                tracing::error!(request_id, error = %error, "the database fails");
                let message = "The database cannot be written to or reached at the moment. Try again later.";
                internal(ErrorCode::TemporarilyUnavailable, message)
            }
            Self::Secret(code) => AppError::new(ErrorCode::BadUserInput, code.message()),
            Self::Refreshing => internal(
                ErrorCode::TemporarilyUnavailable,
                "The access token is being refreshed. Ask again in a moment.",
            ),
            Self::Unopenable => {
                tracing::error!(request_id, "a sealed value does not open");
                internal(
                    ErrorCode::GenericSystemError,
                    "What was encrypted here cannot be opened any more. Reset the client secret, and enter it again.",
                )
            }
            error @ (Self::Storage(_) | Self::Internal(_)) => {
                tracing::error!(request_id, error = %error, "a request failed");
                internal(ErrorCode::GenericSystemError, "Something went wrong on the server.")
            }
        }
    }
}

impl WriteError for ServiceError {
    fn as_storage(&self) -> Option<&StorageError> {
        match self {
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, ServiceError>;
