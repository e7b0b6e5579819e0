//! What every use case needs, and the errors that it answers with.

use crate::{
    accounts::{jwt::SigningKey, passwords::Passwords},
    keys::rotation as keys,
    secrets::sealing::{self, DataKeyCache},
    tokens::{
        access_token::{OpenedTokens, TokenUses},
        refresh::RefreshTasks,
    },
};
use ipack_domain::{
    effects::Clock,
    error::{AppError, ErrorCode},
    tokens::ProblemCode,
};
use ipack_oauth::{configuration::Allowed, outbound::Outbound};
use ipack_storage::{
    Database, StorageError, Writer, data_keys::INSTALLATION, signing_keys, write::WriteError,
};
use ipack_vault::Keyring;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// For how long an answer about the database is given again.
const READINESS_LASTS: Duration = Duration::from_secs(1);

/// How long the database may take to write, with others in front.
const READINESS_PATIENCE: Duration = Duration::from_secs(5);

/// Everything a use case needs, cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    pub database: Database,
    pub clock: Clock,
    pub passwords: Passwords,
    pub signing_key: Arc<SigningKey>,
    pub data_keys: Arc<DataKeyCache>,
    pub oauth: Arc<OAuth>,
    pub opened: Arc<OpenedTokens>,
    pub uses: Arc<TokenUses>,
    pub refresh_tasks: Arc<RefreshTasks>,
    /// What was last found out about the database, and when.
    readiness: Arc<Mutex<Option<(Instant, bool)>>>,
    /// Work that goes on when its request has been answered.
    pub background: TaskTracker,
    /// The server is about to stop: nothing new is begun in the background.
    pub stopping: CancellationToken,
}

/// What a server needs beside its database.
#[derive(Debug)]
pub struct Setup {
    pub keyring: Keyring,
    /// Where the keyring is read again from, once another key is in it.
    pub keyring_file: Option<PathBuf>,
    pub oauth: OAuth,
}

/// How this program is an OAuth client.
#[derive(Debug, Clone)]
pub struct OAuth {
    pub outbound: Outbound,
    pub allowed: Allowed,
    /// How browsers reach this server; redirect URIs begin with it.
    pub public_url: String,
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
    /// Somebody is renewing the token, and it takes its time.
    #[error("the token is being renewed")]
    Refreshing,
    /// A secret that cannot be one.
    #[error("clientSecret: {}", .0.message())]
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
            Self::Storage(error @ StorageError::Failing(_)) => {
                tracing::error!(request_id, error = %error, "the database fails");
                let message = "The database cannot be written to or reached at the moment. Try again later.";
                internal(ErrorCode::Busy, message)
            }
            Self::Secret(code) => {
                AppError::in_field("clientSecret", format!("clientSecret: {}", code.message()))
            }
            Self::Refreshing => {
                internal(ErrorCode::Busy, "The access token is being renewed. Ask again in a moment.")
            }
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

impl Services {
    /// For a command: without master key, so that nothing can be sealed, opened or signed.
    ///
    /// # Errors
    /// Where the outbound client cannot be made.
    pub fn for_command(database: Database, clock: Clock) -> Result<Self> {
        let outbound = Outbound::new(ipack_oauth::addresses::Policy::default());
        let oauth = OAuth {
            outbound: outbound.map_err(|_| ServiceError::Internal("TLS cannot be set up"))?,
            allowed: Allowed::default(),
            public_url: String::new(),
        };
        Ok(Self::assembled(database, clock, DataKeyCache::closed(), oauth, &SigningKey::random()))
    }

    /// For a server, or a command about keys.
    ///
    /// # Errors
    /// Where the signing key, which all replicas share, can be neither read nor made.
    pub async fn new(database: Database, clock: Clock, setup: Setup) -> Result<Self> {
        let data_keys = DataKeyCache::new(setup.keyring, setup.keyring_file);
        keys::introduce(&database, &data_keys, clock.now()).await?;
        let signing_key = database.write(|db| signing_key(db, &clock, &data_keys)).await?;
        Ok(Self::assembled(database, clock, data_keys, setup.oauth, &signing_key))
    }

    fn assembled(
        database: Database,
        clock: Clock,
        data_keys: DataKeyCache,
        oauth: OAuth,
        signing_key: &[u8],
    ) -> Self {
        Self {
            database,
            clock,
            passwords: Passwords::new(),
            signing_key: Arc::new(SigningKey::new(signing_key)),
            data_keys: Arc::new(data_keys),
            oauth: Arc::new(oauth),
            opened: Arc::default(),
            uses: Arc::default(),
            background: TaskTracker::new(),
            stopping: CancellationToken::new(),
            refresh_tasks: Arc::default(),
            readiness: Arc::default(),
        }
    }

    /// Whether the database can be read and written, and is migrated; found out once a second at most.
    pub async fn is_ready(&self) -> bool {
        let (database, last) = (self.database.clone(), self.readiness.clone());
        // In a task of its own, because whoever asked may hang up in the middle.
        let asking = tokio::spawn(async move {
            let mut last = last.lock().await;
            if let Some((asked_at, answer)) = *last
                && asked_at.elapsed() < READINESS_LASTS
            {
                return answer;
            }
            let answer = match tokio::time::timeout(READINESS_PATIENCE, database.is_ready()).await {
                Ok(Ok(is_migrated)) => is_migrated,
                Ok(Err(error)) => {
                    tracing::warn!(error = %error, "the database is not ready");
                    false
                }
                Err(_) => {
                    tracing::warn!("the database did not write in time");
                    false
                }
            };
            *last = Some((Instant::now(), answer));
            answer
        });
        asking.await.unwrap_or(false)
    }
}

/// The key that JWTs are signed with, made and sealed where that has not been done.
async fn signing_key(
    mut db: Writer,
    clock: &Clock,
    data_keys: &DataKeyCache,
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let data_key = data_keys.current_key(db.lend(), INSTALLATION, clock.now()).await?;
    let version = i64::from(data_key.version());
    let seal = |secret: &[u8]| data_key.seal(sealing::signing_key(), secret);
    if signing_keys::find(db.lend()).await?.is_none() {
        signing_keys::add(db.lend(), &seal(&SigningKey::random()), version, clock.now()).await?;
    }
    // Another replica may have been first: its key is everybody's.
    let row = signing_keys::find(db.lend()).await?;
    let row = row.ok_or(ServiceError::Internal("the signing key is gone"))?;
    let secret = match keys::open_signing_key(data_keys, db.lend(), &row).await {
        Err(ServiceError::Unopenable) => {
            // It signs what lives for five minutes: another one does as well.
            tracing::error!("the signing key of the API's JWTs does not open; another one takes its place");
            let secret = zeroize::Zeroizing::new(SigningKey::random().to_vec());
            signing_keys::reseal(db.lend(), &row.secret, &seal(&secret), version).await?;
            secret
        }
        opened => {
            let secret = opened?;
            if row.data_key_version.is_none() {
                signing_keys::reseal(db.lend(), &row.secret, &seal(&secret), version).await?;
            }
            secret
        }
    };
    Ok(secret)
}

/// From one try of [`persist_with_backoff`] to the next; together less than a lease has left after a call.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// Runs a write whose loss cannot be made good: what a provider gave once is gone for ever if it is not written. So
/// that a busy or restarting database is waited for, within reason.
pub async fn persist_with_backoff<T, F>(mut write: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for pause in PAUSES {
        match write().await {
            Err(ServiceError::Storage(error)) => {
                tracing::warn!(error = %error, "what must not be lost is written again");
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
    write().await
}
