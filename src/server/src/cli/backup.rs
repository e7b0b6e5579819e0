//! `ipack-connect check`: whether a backup, or a database that one was restored into, could take the database's place.

use crate::cli::{
    keys::{KeyArgs, scope_name},
    say,
};
use crate::load_keyring::{KeySource, load_keyring};
use ipack_core::Services;
use ipack_domain::effects::Clock;
use ipack_storage::{
    backup,
    open::{open, pending_migrations},
};
use std::{
    error::Error,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Looks at a backup's file, or else at the database that the address names.
///
/// # Errors
/// With what is wrong with it, or with the keys.
pub async fn check(file: Option<PathBuf>, keys: &KeyArgs) -> Result<(), Box<dyn Error>> {
    let address = &keys.database.database_url;
    let file = file.or_else(|| sqlite_file(address));
    let Some(file) = file else {
        let pending = pending_migrations(address).await?;
        say(&format!("The database answers; {}.", age(pending)));
        return match pending {
            0 => check_sealed(address, &keys.master_key_file).await,
            _ => Err("what is sealed in it is looked at once it has them: `ipack-connect migrate` runs them"
                .into()),
        };
    };
    let pending = backup::check(&file).await?;
    say(&format!("{} is whole; {}.", file.display(), age(pending)));
    // What opening writes, it writes into a copy.
    let copy = Copy::of(&file)?;
    check_sealed(&format!("sqlite://{}", copy.file.display()), &keys.master_key_file).await
}

fn sqlite_file(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("sqlite:")?.trim_start_matches("//");
    Some(path.split('?').next().unwrap_or_default().into())
}

fn age(pending: usize) -> String {
    match pending {
        0 => "its tables are this version’s".to_owned(),
        pending => format!("it lacks {pending} migrations, which a start would run"),
    }
}

async fn check_sealed(address: &str, keyring: &Path) -> Result<(), Box<dyn Error>> {
    let keyring = load_keyring(&KeySource::of(address, keyring)?, address).await?;
    let services = Services::for_check(open(address).await?, Clock::system(), keyring.into_keyring())?;
    let sealed = services.check_sealed().await?;
    services.database.close().await;
    for value in &sealed.unopenable {
        say(&format!("  does not open: {} {} of {}", value.table, value.id, scope_name(&value.scope)));
    }
    match sealed.unopenable.len() {
        0 => say(&format!("The master keys open all {} sealed values in it.", sealed.opened)),
        some => return Err(format!("{some} sealed values do not open with these master keys").into()),
    }
    Ok(())
}

/// A copy of a file in a folder beside it, which goes with this.
struct Copy {
    folder: PathBuf,
    file: PathBuf,
}

impl Copy {
    fn of(file: &Path) -> io::Result<Self> {
        let mut folder = file.as_os_str().to_owned();
        folder.push(".checking");
        let folder = PathBuf::from(folder);
        DirBuilder::new().mode(0o700).create(&folder)?;
        let copy = Self { file: folder.join("copy.db"), folder };
        fs::copy(file, &copy.file)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(error = %error, folder = %self.folder.display(), "a copy of the backup is left");
        }
    }
}
