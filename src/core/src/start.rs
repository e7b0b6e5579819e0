//! How [`Services`] come to be: for a server, which has keys, and for a command, which may have none.

use crate::{
    access,
    accounts::{jwt::SigningKey, passwords::Cost},
    error::{Result, ServiceError},
    keys::rotation,
    secrets::sealing::{self, DataKeyCache},
    services::{OAuth, Services},
};
use ipack_domain::effects::Clock;
use ipack_oauth::{configuration::Allowed, outbound::Outbound};
use ipack_storage::{Database, Writer, data_keys::INSTALLATION, signing_keys};
use ipack_vault::Keyring;
use std::path::PathBuf;

/// What a server needs beside its database.
#[derive(Debug)]
pub struct Setup {
    pub keyring: Keyring,
    /// Where the keyring is read again from, once another key is in it.
    pub keyring_file: Option<PathBuf>,
    pub oauth: OAuth,
    pub password_cost: Cost,
}

impl Services {
    /// For a command: without master key, so that nothing can be sealed, opened or signed.
    ///
    /// # Errors
    /// Where the outbound client cannot be made.
    pub fn for_command(database: Database, clock: Clock) -> Result<Self> {
        Self::beside_servers(database, clock, DataKeyCache::closed())
    }

    /// For a command that opens what is sealed, and writes nothing.
    ///
    /// # Errors
    /// As [`Services::for_command`].
    pub fn for_check(database: Database, clock: Clock, keyring: Keyring) -> Result<Self> {
        Self::beside_servers(database, clock, DataKeyCache::new(keyring, None))
    }

    fn beside_servers(database: Database, clock: Clock, data_keys: DataKeyCache) -> Result<Self> {
        let outbound = Outbound::new(ipack_oauth::addresses::Policy::default());
        let oauth = OAuth {
            outbound: outbound.map_err(|_| ServiceError::Internal("TLS cannot be set up"))?,
            allowed: Allowed::default(),
            public_url: String::new(),
        };
        let services =
            Self::assembled(database, clock, data_keys, oauth, &SigningKey::random(), Cost::PRODUCTION);
        Ok(services.of_command_line())
    }

    /// What is done here from now on, whoever runs a command has done.
    #[must_use]
    pub fn of_command_line(mut self) -> Self {
        self.operator = access::COMMAND_LINE;
        self
    }

    /// For a server, or a command about keys.
    ///
    /// # Errors
    /// Where the signing key, which all replicas share, can be neither read nor made.
    pub async fn new(database: Database, clock: Clock, setup: Setup) -> Result<Self> {
        let data_keys = DataKeyCache::new(setup.keyring, setup.keyring_file);
        rotation::introduce(&database, &data_keys, clock.now()).await?;
        let signing_key = database.write(|db| signing_key(db, &clock, &data_keys)).await?;
        Ok(Self::assembled(database, clock, data_keys, setup.oauth, &signing_key, setup.password_cost))
    }
}

/// The key that JWTs are signed with, made and sealed where that has not been done.
async fn signing_key(
    mut db: Writer,
    clock: &Clock,
    data_keys: &DataKeyCache,
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let data_key = data_keys.current_key(db.lend(), INSTALLATION, clock.now()).await?;
    let version = data_key.version();
    let seal = |secret: &[u8]| data_key.seal(sealing::signing_key(), secret);
    if signing_keys::find(db.lend()).await?.is_none() {
        signing_keys::add(db.lend(), &seal(&SigningKey::random()), version, clock.now()).await?;
    }
    // Another replica may have been first: its key is everybody's.
    let row = signing_keys::find(db.lend()).await?;
    let row = row.ok_or(ServiceError::Internal("the signing key is gone"))?;
    let secret = match rotation::open_signing_key(data_keys, db.lend(), &row).await {
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
