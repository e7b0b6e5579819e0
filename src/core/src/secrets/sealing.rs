//! Sealing and opening with the keys that the database holds wrapped: what the vault does, at the place where a value
//! is stored.
//!
//! A sealed column of another table is a function here that names its [`SealContext`]; the rest is said in
//! `vault`, "To seal one more column".

use crate::error::{Result, ServiceError};
use ipack_domain::time::Timestamp;
use ipack_storage::{
    Connection, StorageError,
    data_keys::{self, DataKeyRow},
};
use ipack_vault::{DataKey, Keyring, SealContext};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use uuid::Uuid;

pub fn client_secret(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "client_secrets", row: id.as_bytes(), column: "sealed" }
}

pub fn access_token(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "access_token" }
}

pub fn refresh_token(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "refresh_token" }
}

/// What came beside the access token.
pub fn extra(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "extra" }
}

pub fn attempt(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "attempts", row: id.as_bytes(), column: "sealed" }
}

pub fn revocation(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "revocations", row: id.as_bytes(), column: "sealed" }
}

pub fn signing_key() -> SealContext<'static> {
    SealContext { table: "signing_keys", row: b"jwt", column: "secret" }
}

/// Seals a text.
pub(crate) fn seal(key: &DataKey, place: SealContext<'_>, text: &secrecy::SecretString) -> Vec<u8> {
    use secrecy::ExposeSecret;
    key.seal(place, text.expose_secret().as_bytes())
}

/// Data keys that are kept unwrapped, one for each Space.
const MAX_DATA_KEYS: usize = 10_000;

/// The master keys at hand, and the data keys that were unwrapped with them.
pub struct DataKeyCache {
    keyring: RwLock<Option<Keyring>>,
    /// Read again where the database names a master key that is not in the keyring yet.
    file: Option<PathBuf>,
    data_keys: Mutex<HashMap<(String, u32), Unwrapped>>,
}

/// A data key, and the bytes that it came out of: what was made in a transaction that came to nothing is not mistaken
/// for the key that another made in its place.
struct Unwrapped {
    wrapped: Vec<u8>,
    key: Arc<DataKey>,
}

impl std::fmt::Debug for DataKeyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKeyCache")
    }
}

impl DataKeyCache {
    pub fn new(keyring: Keyring, file: Option<PathBuf>) -> Self {
        Self { keyring: RwLock::new(Some(keyring)), file, data_keys: Mutex::default() }
    }

    /// For commands that neither seal nor open.
    pub fn closed() -> Self {
        Self { keyring: RwLock::new(None), file: None, data_keys: Mutex::default() }
    }

    /// Runs on the keyring.
    ///
    /// # Errors
    /// `Internal` where the safe is closed.
    pub fn with_keyring<T>(&self, run: impl FnOnce(&Keyring) -> T) -> Result<T> {
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        keyring.as_ref().map(run).ok_or(ServiceError::Internal("this command has no master key"))
    }

    /// The data key that a scope's values are sealed with now, made where there is none. The connection writes.
    pub async fn current_key(
        &self,
        mut db: Connection<'_>,
        scope: &str,
        now: Timestamp,
    ) -> Result<Arc<DataKey>> {
        if let Some(row) = data_keys::current(db.lend(), scope).await? {
            return self.unwrapped(&row);
        }
        self.make_key(db.lend(), scope, 1, now).await?;
        // Another replica may have been first: its key is everybody's.
        let row = data_keys::current(db, scope).await?;
        self.unwrapped(&row.ok_or(ServiceError::Internal("a data key just made is gone"))?)
    }

    /// Adds a data key to a scope, wrapped by the newest master key that the database knows.
    pub async fn make_key(
        &self,
        mut db: Connection<'_>,
        scope: &str,
        version: u32,
        now: Timestamp,
    ) -> Result<()> {
        let key = DataKey::random(version);
        let known = data_keys::master_keys(db.lend()).await?;
        let newest = known.last().ok_or(ServiceError::Internal("the database knows no master key"))?;
        let master_version = newest.version;
        let wrapped = self.with_master(master_version, |master| master.wrap(scope, &key))?;
        let row = DataKeyRow { scope: scope.to_owned(), version, master_version, wrapped };
        Ok(data_keys::add(db, &row, now).await?)
    }

    /// # Errors
    /// `Unopenable` where the value was changed, or moved here from another row; of this value alone. `Reference` where a
    /// rotation forgot its data key: the value was sealed anew since it was read.
    pub async fn open(
        &self,
        db: Connection<'_>,
        scope: &str,
        data_key_version: u32,
        place: SealContext<'_>,
        sealed: &[u8],
    ) -> Result<SecretString> {
        let key = self.key(db, scope, data_key_version).await?;
        key.open_text(place, sealed).map_err(|error| {
            tracing::error!(table = place.table, column = place.column, error = %error, "a sealed value does not open");
            ServiceError::Unopenable
        })
    }

    async fn key(&self, db: Connection<'_>, scope: &str, version: u32) -> Result<Arc<DataKey>> {
        match data_keys::find(db, scope, version).await? {
            Some(row) => self.unwrapped(&row),
            // Forgotten by a rotation, a moment after the value was read.
            None => self.remembered(scope, version, None).ok_or(StorageError::Reference.into()),
        }
    }

    pub fn unwrapped(&self, row: &DataKeyRow) -> Result<Arc<DataKey>> {
        if let Some(key) = self.remembered(&row.scope, row.version, Some(&row.wrapped)) {
            return Ok(key);
        }
        let key = self
            .with_master(row.master_version, |master| master.unwrap_key(&row.scope, row.version, &row.wrapped))?
            .map_err(|error| {
                tracing::error!(scope = row.scope, version = row.version, error = %error, "a data key does not open");
                ServiceError::Unopenable
            })?;
        let key = Arc::new(key);
        let mut keys = self.data_keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_DATA_KEYS {
            // They are unwrapped again.
            keys.clear();
        }
        let unwrapped = Unwrapped { wrapped: row.wrapped.clone(), key: key.clone() };
        keys.insert((row.scope.clone(), row.version), unwrapped);
        Ok(key)
    }

    /// A key that was unwrapped before; from these bytes, where they are known.
    fn remembered(&self, scope: &str, version: u32, wrapped: Option<&[u8]>) -> Option<Arc<DataKey>> {
        let keys = self.data_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.get(&(scope.to_owned(), version))?;
        wrapped.is_none_or(|wrapped| wrapped == found.wrapped).then(|| found.key.clone())
    }

    fn with_master<T>(&self, version: u32, run: impl Fn(&ipack_vault::MasterKey) -> T) -> Result<T> {
        let found = self.with_keyring(|keyring| keyring.get(version).map(&run))?;
        if let Some(done) = found {
            return Ok(done);
        }
        self.read_again();
        let found = self.with_keyring(|keyring| keyring.get(version).map(&run))?;
        found.ok_or_else(|| {
            tracing::error!(version, "the master key file lacks a version that the database needs");
            ServiceError::Internal("a master key is missing")
        })
    }

    /// Somebody may have added a key to the file.
    fn read_again(&self) {
        let Some(file) = &self.file else { return };
        match Keyring::read(file) {
            Ok(keyring) => *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = Some(keyring),
            Err(error) => tracing::error!(error = %error, "the master key file cannot be read again"),
        }
    }
}
