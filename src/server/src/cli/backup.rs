//! `ipack-connect check`: whether a backup could take the database's place.

use crate::cli::{
    keys::{scope_name, services_on},
    say,
};
use ipack_storage::backup;
use std::{
    error::Error,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// # Errors
/// With what is wrong with the backup, or with the keys.
pub async fn check(file: &Path, keyring: &Path) -> Result<(), Box<dyn Error>> {
    let pending = backup::check(file).await?;
    let name = file.display();
    let age = match pending {
        0 => "its tables are this version’s".to_owned(),
        pending => format!("it lacks {pending} migrations, which a start would run"),
    };
    say(&format!("{name} is whole; {age}."));
    // What opening writes, it writes into a copy.
    let copy = Copy::of(file)?;
    let address = format!("sqlite://{}", copy.file.display());
    let services = services_on(&address, keyring).await?;
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
