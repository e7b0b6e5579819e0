//! Use cases: authorise, act, save. Pages' server functions and the API are two doors to the same rooms.
//!
//! A new use case is a method of [`Services`] in the file of its subject. It takes who asks, checks what they may
//! see through `access`, and answers a [`ServiceError`] that says what went wrong in the words of the subject. One that
//! writes runs its transaction through [`retrying`].

pub mod access;
pub mod accounts;
pub mod catalogue;
pub mod connector;
mod connector_draft;
mod connector_view;
pub mod demo;
pub mod details;
pub mod housekeeping;
pub mod import;
pub mod overview;
pub mod sign_in;

use crate::{
    auth::{jwt::SigningKey, passwords::Passwords},
    effects::Clock,
    error::{AppError, ErrorCode},
    storage::{Database, StorageError, signing_keys},
};
use std::sync::Arc;

/// Everything a use case needs, cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) signing_key: Arc<SigningKey>,
}

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
    #[error("{0}")]
    Internal(&'static str),
}

impl ServiceError {
    /// An error of one field; the message goes on from the field's name: `must not be empty`.
    pub fn bad_input(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadInput { field: field.into(), message: message.into() }
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
            Self::MissingSpace => {
                AppError::new(ErrorCode::MissingSpaceId, "The header SPACE_GUID is missing.")
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
                internal(ErrorCode::Busy, "The database is busy. Try again in a moment.")
            }
            error @ (Self::Storage(_) | Self::Internal(_)) => {
                tracing::error!(request_id, error = %error, "a request failed");
                internal(ErrorCode::GenericSystemError, "Something went wrong on the server.")
            }
        }
    }
}

pub type Result<T> = std::result::Result<T, ServiceError>;

impl Services {
    /// # Errors
    /// Where the signing key, which all replicas share, can be neither read nor made.
    pub async fn new(database: Database, clock: Clock) -> Result<Self> {
        let mut reader = database.reader().await?;
        let found = signing_keys::find(reader.connection()).await?;
        drop(reader);
        let secret = match found {
            Some(secret) => secret,
            None => make_signing_key(&database, &clock).await?,
        };
        let passwords = Passwords::new();
        Ok(Self { database, clock, passwords, signing_key: Arc::new(SigningKey::new(&secret)) })
    }

    /// Whether the database answers and is migrated.
    pub async fn is_ready(&self) -> bool {
        matches!(self.database.is_ready().await, Ok(true))
    }
}

async fn make_signing_key(database: &Database, clock: &Clock) -> Result<Vec<u8>> {
    let mut writer = database.writer().await?;
    signing_keys::add(writer.connection(), &SigningKey::random(), clock.now()).await?;
    // Another replica may have been first: its key is everybody's.
    let secret = signing_keys::find(writer.connection()).await?;
    writer.commit().await?;
    secret.ok_or(ServiceError::Internal("the signing key is gone"))
}

/// How often a write that met another begins, at most.
const ATTEMPTS: u32 = 4;

/// Runs a write, a transaction of its own, and begins it again where it met another that came first: undone by the
/// database, second with the same key, or on something that was uninstalled meanwhile. Begun again it sees what the
/// other left, and says so if that is in its way.
pub(crate) async fn retrying<T, F>(mut write: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..ATTEMPTS {
        match write().await {
            Err(ServiceError::Storage(
                StorageError::Undone(_) | StorageError::Exists | StorageError::Reference,
            )) => {}
            done => return done,
        }
    }
    write().await
}
