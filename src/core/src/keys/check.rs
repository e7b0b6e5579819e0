//! Whether everything that is sealed opens: asked of a backup, before somebody depends on it.

use crate::{
    error::{Result, ServiceError},
    keys::rotation::{Unopenable, open_signing_key, places},
    services::Services,
};
use ipack_storage::{
    StorageError,
    data_keys::{self, INSTALLATION, SEALED, SealedRow, SealedTable},
    signing_keys,
};
use uuid::Uuid;

/// Rows read at once.
const BATCH: i64 = 500;

/// What opens, and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealedValues {
    pub opened: usize,
    pub unopenable: Vec<Unopenable>,
}

impl Services {
    /// Opens every sealed row once.
    ///
    /// # Errors
    /// Where the database cannot be read. What does not open is listed.
    pub async fn check_sealed(&self) -> Result<SealedValues> {
        let mut reader = self.database.reader().await?;
        let keys = data_keys::list(reader.connection()).await?;
        let mut scopes: Vec<String> = keys.into_iter().map(|key| key.scope).collect();
        scopes.dedup();
        let mut values = SealedValues::default();
        for scope in scopes.into_iter().filter(|scope| scope != INSTALLATION) {
            for table in SEALED {
                self.check_table(&scope, table, &mut values).await?;
            }
        }
        if let Some(row) = signing_keys::find(reader.connection()).await? {
            open_signing_key(&self.data_keys, reader.connection(), &row).await?;
            values.opened += 1;
        }
        Ok(values)
    }

    async fn check_table(&self, scope: &str, table: SealedTable, values: &mut SealedValues) -> Result<()> {
        let mut after = Uuid::nil();
        loop {
            let mut reader = self.database.reader().await?;
            let rows =
                data_keys::sealed_before(reader.connection(), table, scope, u32::MAX, after, BATCH).await?;
            drop(reader);
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            for row in &rows {
                match self.check_row(scope, table, row).await {
                    Ok(()) => values.opened += 1,
                    Err(
                        ServiceError::Unopenable
                        | ServiceError::Internal(_)
                        | ServiceError::Storage(StorageError::Reference),
                    ) => values.unopenable.push(Unopenable {
                        scope: scope.to_owned(),
                        table: table.name,
                        id: row.id,
                    }),
                    Err(other) => return Err(other),
                }
            }
        }
    }

    async fn check_row(&self, scope: &str, table: SealedTable, row: &SealedRow) -> Result<()> {
        let mut reader = self.database.reader().await?;
        for (place, value) in places(table, &row.id).into_iter().zip(&row.values) {
            if let Some(sealed) = value {
                self.data_keys.open(reader.connection(), scope, row.data_key_version, place, sealed).await?;
            }
        }
        Ok(())
    }
}
