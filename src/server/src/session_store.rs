//! Sessions for tower-sessions over our own storage, so that every replica knows them.
//!
//! An entry of the session that SQL has to find becomes a column, read from the record in `write`.

use async_trait::async_trait;
use ipack_domain::{
    effects::{Clock, random_bytes},
    time::Timestamp,
};
use ipack_storage::{Database, StorageError, Writer, sessions};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::{sync::Semaphore, time::timeout};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};
use uuid::Uuid;

/// The session's entry for the admin's id; the sessions table has a column of its own for it.
pub const ADMIN_ID: &str = "admin_id";

/// How long a request waits until its session's last use is written.
const TOUCH_PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct DatabaseSessions {
    database: Database,
    clock: Clock,
    /// Whose turn it is to write a last use.
    touching: Arc<Semaphore>,
}

impl DatabaseSessions {
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock, touching: Arc::new(Semaphore::new(1)) }
    }

    /// Adds the session, or writes over it if it is still there.
    async fn write(&self, record: &Record, is_new: bool) -> std::result::Result<(), StorageError> {
        let id = digest(&record.id);
        let data = serde_json::json!(record.data).to_string();
        let expires_at = timestamp(record.expiry_date);
        let admin =
            record.data.get(ADMIN_ID).and_then(|id| id.as_str()).and_then(|id| Uuid::parse_str(id).ok());
        let write = async |mut db: Writer| match is_new {
            true => sessions::put(db.lend(), &id, admin, &data, expires_at).await,
            // Signed out meanwhile: what is over stays over.
            false => sessions::replace(db.lend(), &id, admin, &data, expires_at).await.map(drop),
        };
        self.database.write(write).await
    }
}

/// What is stored instead of the id: a copy of the table signs nobody in.
fn digest(id: &Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

fn backend(error: StorageError) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits: no two sessions ever draw the same.
        record.id = Id(i128::from_le_bytes(random_bytes()));
        self.write(record, true).await.map_err(backend)
    }

    /// Of a session that is there only the last use changes. Where that cannot be written, reading goes on all the same;
    /// the next use is written instead.
    async fn save(&self, record: &Record) -> Result<()> {
        let touch = async {
            // One at a time: a database that takes no writes has one of these waiting, and not one for each request.
            let turn = self.touching.clone().acquire_owned().await;
            let (store, record) = (self.clone(), record.clone());
            let write = async move {
                let _turn = turn;
                store.write(&record, false).await
            };
            tokio::spawn(write).await
        };
        match timeout(TOUCH_PATIENCE, touch).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(error = %error, "the last use of a session is not written"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last use of a session is not written in time"),
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut reader = self.database.reader().await.map_err(backend)?;
        let row =
            sessions::find(reader.connection(), &digest(id), self.clock.now()).await.map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let data = serde_json::from_str(&row.data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.expires_at.0) * 1_000)
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let id = digest(id);
        let removed = self.database.write(async |mut db| sessions::remove(db.lend(), &id).await).await;
        removed.map(drop).map_err(backend)
    }
}
