//! The master keys at the start: where they come from, and whether they are the right ones. Nothing is changed before
//! that is known.

use crate::config::{DEFAULT_DATABASE_URL, MASTER_KEY};
use ipack_core::{
    OAuth, Setup,
    accounts::passwords::Cost,
    keys::rotation::{WrongKeys, check},
};
use ipack_storage::open::{OpenError, known_master_keys};
use ipack_vault::{Keyring, KeyringError};
use std::{
    env::{self, VarError},
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where the master keys are.
pub struct KeySource {
    pub file: PathBuf,
    /// `IPACK_MASTER_KEY`: the text of such a file.
    pub text: Option<Zeroizing<String>>,
    /// Only there is a key made where none is: elsewhere a missing one is a mistake.
    pub is_default_database: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadKeyringError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Wrong(#[from] WrongKeys),
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("the folder of the master key cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    #[error("{MASTER_KEY} is not valid UTF-8")]
    NotText,
}

impl KeySource {
    /// # Errors
    /// Where the variable is no text.
    pub fn of(database_url: &str, file: &Path) -> Result<Self, LoadKeyringError> {
        let text = match env::var(MASTER_KEY) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => return Err(LoadKeyringError::NotText),
        };
        let is_default_database = database_url == DEFAULT_DATABASE_URL;
        Ok(Self { file: file.to_owned(), text: text.filter(|text| !text.is_empty()), is_default_database })
    }

    /// How messages call it.
    pub fn name(&self) -> String {
        match &self.text {
            Some(_) => MASTER_KEY.to_owned(),
            None => self.file.display().to_string(),
        }
    }
}

/// Master keys that fit the database.
#[derive(Debug)]
pub struct LoadedKeyring {
    keyring: Keyring,
    file: Option<PathBuf>,
}

impl LoadedKeyring {
    pub fn into_keyring(self) -> Keyring {
        self.keyring
    }

    pub fn with(self, oauth: OAuth) -> Setup {
        Setup { keyring: self.keyring, keyring_file: self.file, oauth, password_cost: Cost::PRODUCTION }
    }
}

/// The keys, where they are those of the database; made on the first start on the default database.
///
/// # Errors
/// With a sentence that says what is wrong with the keys. Nothing has been changed then.
pub async fn load_keyring(source: &KeySource, database_url: &str) -> Result<LoadedKeyring, LoadKeyringError> {
    let keyring = match &source.text {
        Some(text) => Some(Keyring::parse(text.as_bytes(), MASTER_KEY)?),
        None => match Keyring::read(&source.file) {
            Ok(keyring) => Some(keyring),
            Err(KeyringError::Missing { .. }) if source.is_default_database => None,
            Err(error) => return Err(error.into()),
        },
    };
    let known = known_master_keys(database_url).await?;
    let keyring = match keyring {
        Some(keyring) => keyring,
        None if known.is_empty() => make(&source.file)?,
        // It was there once: whatever is made now opens nothing.
        None => return Err(KeyringError::Missing { file: source.name() }.into()),
    };
    check(&keyring, &source.name(), &known)?;
    let file = source.text.is_none().then(|| source.file.clone());
    Ok(LoadedKeyring { keyring, file })
}

fn make(file: &Path) -> Result<Keyring, LoadKeyringError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(LoadKeyringError::Folder)?;
    }
    match Keyring::create(file) {
        // Another program started at the same moment.
        Err(KeyringError::Exists { .. }) => Ok(Keyring::read(file)?),
        made => Ok(made?),
    }
}
