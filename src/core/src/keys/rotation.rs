//! Master keys: which ones the database knows, whether those at hand are the right ones, and their rotation.
//!
//! A rotation goes Space by Space and batch by batch beside running servers: a new data key, wrapped by the newest
//! master key; every value sealed anew; the old data key removed once nothing refers to it, which the database itself
//! watches over. Killed in the middle, the next run goes on with what is left. What a rotation has to walk over is
//! listed in `storage::data_keys`.

use crate::{
    error::{Result, ServiceError},
    secrets::sealing::{DataKeyCache, seal, signing_key},
    services::Services,
};
use ipack_domain::time::Timestamp;
use ipack_storage::{
    Connection, Database, StorageError, Writer,
    audit_log::Kind,
    data_keys::{self, INSTALLATION, MasterKeyRow, SEALED, SealedRow, SealedTable},
    signing_keys,
};
use ipack_vault::{DataKey, Keyring, SealContext};
use std::sync::Arc;
use uuid::Uuid;

/// Rows sealed anew in one transaction.
const RESEAL_BATCH: i64 = 200;

/// Why the master keys at hand are not those of the database.
#[derive(Debug, thiserror::Error)]
pub enum WrongKeys {
    #[error(
        "the database needs the master key v{version}, and {keyring} does not hold it; put the file back that it was sealed with"
    )]
    Lacking { version: u32, keyring: String },
    #[error(
        "the master key v{version} in {keyring} is not the one that the database was sealed with; put the right file back"
    )]
    Other { version: u32, keyring: String },
}

/// Whether the keyring opens what the database has.
///
/// # Errors
/// Naming the first key that is lacking or wrong.
pub fn check(keyring: &Keyring, name: &str, known: &[MasterKeyRow]) -> std::result::Result<(), WrongKeys> {
    for row in known {
        let version = row.version;
        let master =
            keyring.get(version).ok_or_else(|| WrongKeys::Lacking { version, keyring: name.to_owned() })?;
        master
            .verify_check_value(&row.check_value)
            .map_err(|_| WrongKeys::Other { version, keyring: name.to_owned() })?;
    }
    Ok(())
}

/// What the database and the keyring have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    pub masters: Vec<MasterStatus>,
    pub scopes: Vec<ScopeStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterStatus {
    pub version: u32,
    pub is_in_keyring: bool,
    /// The database knows it.
    pub is_known: bool,
    pub data_keys: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeStatus {
    /// A Space's guid; empty for the installation.
    pub scope: String,
    pub data_key_version: u32,
    pub master_version: u32,
    pub values: u32,
}

/// How far a rotation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub scope: String,
    pub resealed: u64,
}

/// A value that does not open, and so stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unopenable {
    pub scope: String,
    pub table: &'static str,
    pub id: Uuid,
}

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    pub master_version: u32,
    pub resealed: u64,
    pub unopenable: Vec<Unopenable>,
}

/// Makes the keyring's newest key known to a database that knows none.
pub(crate) async fn introduce(database: &Database, data_keys: &DataKeyCache, now: Timestamp) -> Result<()> {
    let mut reader = database.reader().await?;
    let known = data_keys::master_keys(reader.connection()).await?;
    drop(reader);
    if known.is_empty() {
        make_newest_known(database, data_keys, now).await?;
    }
    Ok(())
}

async fn make_newest_known(database: &Database, data_keys: &DataKeyCache, now: Timestamp) -> Result<u32> {
    let (version, value) = data_keys.with_keyring(|keyring| {
        let newest = keyring.active();
        (newest.version(), newest.check_value())
    })?;
    database.write(async |mut db| data_keys::add_master_key(db.lend(), version, &value, now).await).await?;
    Ok(version)
}

impl Services {
    /// What `keys status` shows.
    pub async fn key_status(&self) -> Result<KeyStatus> {
        let mut reader = self.database.reader().await?;
        let known = data_keys::master_keys(reader.connection()).await?;
        let data_keys = data_keys::list(reader.connection()).await?;
        let mut counts = Vec::new();
        for table in SEALED {
            counts.extend(data_keys::count_sealed(reader.connection(), table).await?);
        }
        let in_keyring = self.data_keys.with_keyring(Keyring::versions)?;
        let mut versions: Vec<u32> =
            known.iter().map(|row| row.version).chain(in_keyring.iter().copied()).collect();
        versions.sort_unstable();
        versions.dedup();
        let masters = versions
            .into_iter()
            .map(|version| MasterStatus {
                version,
                is_in_keyring: in_keyring.contains(&version),
                is_known: known.iter().any(|row| row.version == version),
                data_keys: data_keys.iter().filter(|row| row.master_version == version).count(),
            })
            .collect();
        let scopes = data_keys
            .into_iter()
            .map(|row| ScopeStatus {
                values: counts
                    .iter()
                    .filter(|count| count.space_guid == row.scope && count.data_key_version == row.version)
                    .map(|count| count.rows)
                    .sum::<u32>()
                    + u32::from(row.scope == INSTALLATION),
                scope: row.scope,
                data_key_version: row.version,
                master_version: row.master_version,
            })
            .collect();
        Ok(KeyStatus { masters, scopes })
    }

    /// Seals everything anew, under new data keys wrapped by the keyring's newest master key. What is so already is
    /// left alone, so that a run after a kill goes on where the killed one was.
    ///
    /// # Errors
    /// Where a data key itself does not open, or the database fails; a value that does not open is listed instead.
    pub async fn rotate_keys(&self, mut report: impl FnMut(&Progress)) -> Result<Rotation> {
        let now = self.clock.now();
        let master_version = make_newest_known(&self.database, &self.data_keys, now).await?;
        let mut reader = self.database.reader().await?;
        let keys = data_keys::list(reader.connection()).await?;
        drop(reader);
        let mut scopes: Vec<String> = keys.iter().map(|key| key.scope.clone()).collect();
        scopes.dedup();
        let mut rotation = Rotation { master_version, ..Rotation::default() };
        for scope in scopes {
            let new = self.database.write(|db| self.current_or_new_key(db, &scope, master_version)).await?;
            let mut progress = Progress { scope: scope.clone(), resealed: 0 };
            if scope == INSTALLATION {
                progress.resealed +=
                    u64::from(self.database.write(|db| self.reseal_signing_key(db, &new)).await?);
            } else {
                for table in SEALED {
                    self.reseal_table(&new, table, &mut progress, &mut rotation, &mut report).await?;
                }
            }
            rotation.resealed += progress.resealed;
            report(&progress);
            let forgotten = self.database.write(|db| self.forget_old_keys(db, &scope, &new)).await;
            match forgotten {
                Err(ServiceError::Storage(StorageError::Reference)) => {}
                forgotten => forgotten?,
            }
        }
        let detail = format!("under v{master_version}, {} values", rotation.resealed);
        let note =
            async |mut db: Writer| self.note_operation(db.lend(), Kind::KeysRotated, None, &detail).await;
        self.database.write(note).await?;
        Ok(rotation)
    }

    /// The scope's data key under this master key, made where the current one is under another.
    async fn current_or_new_key(
        &self,
        mut db: Writer,
        scope: &str,
        master_version: u32,
    ) -> Result<Arc<DataKey>> {
        let current = data_keys::current(db.lend(), scope).await?;
        let current = current.ok_or(ServiceError::Internal("a data key is gone"))?;
        if current.master_version == master_version {
            return self.data_keys.unwrapped(&current);
        }
        self.data_keys.make_key(db.lend(), scope, current.version + 1, self.clock.now()).await?;
        let new = data_keys::current(db.lend(), scope).await?;
        self.data_keys.unwrapped(&new.ok_or(ServiceError::Internal("a data key just made is gone"))?)
    }

    async fn reseal_table(
        &self,
        new: &DataKey,
        table: SealedTable,
        progress: &mut Progress,
        rotation: &mut Rotation,
        report: &mut impl FnMut(&Progress),
    ) -> Result<()> {
        let mut after = Uuid::nil();
        loop {
            let mut reader = self.database.reader().await?;
            let version = new.version();
            let space = progress.scope.clone();
            let rows =
                data_keys::sealed_before(reader.connection(), table, &space, version, after, RESEAL_BATCH)
                    .await?;
            drop(reader);
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let resealed = self.database.write(|db| self.reseal_rows(db, &space, new, table, &rows)).await?;
            progress.resealed += resealed.done;
            rotation.unopenable.extend(resealed.unopenable);
            report(progress);
        }
    }

    async fn reseal_rows(
        &self,
        mut db: Writer,
        space: &str,
        new: &DataKey,
        table: SealedTable,
        rows: &[SealedRow],
    ) -> Result<Resealed> {
        let mut resealed = Resealed::default();
        for row in rows {
            match self.resealed(db.lend(), space, new, table, row).await {
                Ok(true) => resealed.done += 1,
                // Somebody changed it meanwhile, and so sealed it with the new key.
                Ok(false) => {}
                Err(ServiceError::Unopenable) => {
                    resealed.unopenable.push(Unopenable {
                        scope: space.to_owned(),
                        table: table.name,
                        id: row.id,
                    });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(resealed)
    }

    async fn resealed(
        &self,
        mut db: Connection<'_>,
        space: &str,
        new: &DataKey,
        table: SealedTable,
        row: &SealedRow,
    ) -> Result<bool> {
        let old = row.data_key_version;
        let mut values = [None, None, None];
        for ((new_value, sealed), place) in values.iter_mut().zip(&row.values).zip(places(table, &row.id)) {
            let Some(sealed) = sealed else { continue };
            let opened = match self.data_keys.open(db.lend(), space, old, place, sealed).await {
                // Another rotation did it meanwhile, and forgot the old key.
                Err(ServiceError::Storage(StorageError::Reference)) => return Ok(false),
                opened => opened?,
            };
            *new_value = Some(seal(new, place, &opened));
        }
        Ok(data_keys::reseal(db.lend(), table, row, new.version(), &values).await?)
    }

    async fn reseal_signing_key(&self, mut db: Writer, new: &DataKey) -> Result<bool> {
        let Some(row) = signing_keys::find(db.lend()).await? else { return Ok(false) };
        let version = new.version();
        if row.data_key_version == Some(version) {
            return Ok(false);
        }
        let opened = open_signing_key(&self.data_keys, db.lend(), &row).await?;
        let sealed = new.seal(signing_key(), &opened);
        let done = signing_keys::reseal(db.lend(), &row.secret, &sealed, version).await?;
        Ok(done)
    }

    /// What is still sealed with an old key, because it does not open or was written a moment ago, keeps it.
    ///
    /// # Errors
    /// `Reference` for such a value.
    async fn forget_old_keys(&self, mut db: Writer, scope: &str, new: &DataKey) -> Result<()> {
        let version = new.version();
        // No reference watches over the signing key.
        if scope == INSTALLATION {
            let signing_key = signing_keys::find(db.lend()).await?;
            if signing_key.is_some_and(|row| row.data_key_version != Some(version)) {
                return Ok(());
            }
        }
        data_keys::remove_before(db.lend(), scope, version).await?;
        Ok(())
    }

    /// From now on the database does without this master key.
    ///
    /// # Errors
    /// `Conflict` where something still needs it, or it is the newest.
    pub async fn retire_key(&self, version: u32) -> Result<()> {
        self.database.write(|db| self.retire_once(db, version)).await
    }

    async fn retire_once(&self, mut db: Writer, version: u32) -> Result<()> {
        let known = data_keys::master_keys(db.lend()).await?;
        if known.last().is_some_and(|newest| newest.version == version) {
            let message = format!("v{version} is the key in use; `keys add` and `keys rotate` come first");
            return Err(ServiceError::Conflict(message));
        }
        match data_keys::remove_master_key(db.lend(), version).await {
            Ok(_) => {
                Ok(self.note_operation(db.lend(), Kind::KeyRetired, None, &format!("v{version}")).await?)
            }
            Err(StorageError::Reference) => Err(ServiceError::Conflict(format!(
                "v{version} is still needed; `keys rotate` first, and see what it lists as not opening"
            ))),
            Err(other) => Err(other.into()),
        }
    }
}

#[derive(Default)]
struct Resealed {
    done: u64,
    unopenable: Vec<Unopenable>,
}

/// Where a row's sealed values stand, in the order of its table's columns.
pub(super) fn places<'a>(table: SealedTable, id: &'a Uuid) -> Vec<SealContext<'a>> {
    let place = |column: &&'static str| SealContext { table: table.name, row: id.as_bytes(), column };
    table.columns.iter().map(place).collect()
}

/// The signing key's bytes; an earlier version of the program left them unsealed.
pub(crate) async fn open_signing_key(
    data_keys: &DataKeyCache,
    mut db: Connection<'_>,
    row: &signing_keys::SigningKeyRow,
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    use secrecy::ExposeSecret;
    let Some(version) = row.data_key_version else {
        return Ok(zeroize::Zeroizing::new(row.secret.clone()));
    };
    let key = data_keys::find(db.lend(), INSTALLATION, version).await?;
    let key = data_keys.unwrapped(&key.ok_or(ServiceError::Unopenable)?)?;
    let opened = key.open(signing_key(), &row.secret).map_err(|_| ServiceError::Unopenable)?;
    Ok(zeroize::Zeroizing::new(opened.expose_secret().to_vec()))
}
