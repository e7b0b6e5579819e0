//! A keyring in a file of its own, replicas that read it, and connections with a sealed secret and a sealed token.

use ipack_core::{
    Result, ServiceError, Services, access::Client, connector::details::SaveDetails,
    keys::rotation::Rotation, tokens::access_token::Wanted,
};
use ipack_domain::{
    effects::{Clock, new_id},
    ids::ConnectionKey,
    rights::Rights,
};
use ipack_storage::{
    Database, Writer, client_secrets,
    tokens::{self, Token},
};
use ipack_testing::world::{START, World, setup_of};
use ipack_vault::{Keyring, SealContext};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use uuid::Uuid;

pub const ACCOUNT: &str = "account-1";
pub const SPACE: &str = "space-1";
const DETAILS: &str = r#"{"baseURL":"https://idp.example.com","companyId":"","clientId":"a"}"#;

/// A moment that stands still.
pub fn clock() -> Clock {
    Clock::new(|| START)
}

pub fn key(connection: &str) -> ConnectionKey {
    in_space(SPACE, connection)
}

pub fn in_space(space: &str, connection: &str) -> ConnectionKey {
    ConnectionKey {
        space: space.into(),
        instance: format!("instance of {space}"),
        environment: "env".into(),
        process: "process".into(),
        connection: connection.into(),
    }
}

pub fn secret_place(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "client_secrets", row: id.as_bytes(), column: "sealed" }
}

pub fn access_place(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "access_token" }
}

pub fn refresh_place(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "refresh_token" }
}

fn extra_place(id: &Uuid) -> SealContext<'_> {
    SealContext { table: "tokens", row: id.as_bytes(), column: "extra" }
}

/// A replica, its keyring's file, and an API token that may read access tokens.
pub struct Sealed {
    pub services: Services,
    pub file: PathBuf,
    client: Client,
    _world: World,
}

impl Sealed {
    pub async fn new(database: Database) -> Self {
        let world = World::builder(database).empty().keyring_file().build().await;
        let (services, file) = (world.services.clone(), world.keyring_file());
        services.create_space(ACCOUNT, SPACE, "A Space").await.expect("a Space");
        let token = services.create_token(ACCOUNT, "ci", Rights::all(), None).await.expect("an API token");
        let client = Client {
            account: ACCOUNT.into(),
            name: "ci".into(),
            username: token.username,
            rights: Rights::all(),
        };
        Self { services, file, client, _world: world }
    }

    /// Another one on the same database, with what the file holds now.
    pub async fn replica(&self) -> Services {
        let database = self.services.database.clone();
        Services::new(database, clock(), setup_of(&self.file)).await.expect("the services start")
    }

    /// A connection with saved details, a secret and a token, all named after it.
    pub async fn seal(&self, key: &ConnectionKey) {
        self.save(key).await;
        self.encrypt(&self.services, key).await.expect("encrypted");
        self.put_token(&self.services, key).await.expect("sealed");
    }

    pub async fn save(&self, key: &ConnectionKey) {
        let save = SaveDetails {
            key: key.clone(),
            is_token_generated: false,
            oauth_connector_details: DETAILS.into(),
            client_id: "a".into(),
        };
        self.services.save_details(&self.client, Some(&key.space), save).await.expect("saved");
    }

    pub async fn encrypt(&self, by: &Services, key: &ConnectionKey) -> Result<()> {
        let secret = SecretString::from(format!("secret of {}", key.connection));
        by.encrypt_for_client(&self.client, Some(&key.space), key, &secret).await.map(drop)
    }

    pub async fn reset(&self, key: &ConnectionKey) {
        self.services.reset_for_client(&self.client, Some(&key.space), key).await.expect("reset");
    }

    /// A token as an attempt stores it.
    pub async fn put_token(&self, by: &Services, key: &ConnectionKey) -> Result<Uuid> {
        let write = async |mut db: Writer| {
            let now = by.clock.now();
            let id = new_id(now);
            let data_key = by.data_keys.current_key(db.lend(), &key.space, now).await?;
            let access = format!("access token of {}", key.connection);
            let refresh = format!("refresh token of {}", key.connection);
            let extra = format!("beside the token of {}", key.connection);
            let token = Token {
                access_token: data_key.seal(access_place(&id), access.as_bytes()),
                refresh_token: Some(data_key.seal(refresh_place(&id), refresh.as_bytes())),
                extra: Some(data_key.seal(extra_place(&id), extra.as_bytes())),
                data_key_version: data_key.version(),
                expires_at: None,
                refresh_at: None,
                ..ipack_testing::records::token(id.as_u128(), key)
            };
            tokens::put(db.lend(), &token).await?;
            Ok(id)
        };
        by.database.write(write).await
    }

    pub async fn token(&self, key: &ConnectionKey) -> Token {
        read_now!(self.services.database, db => tokens::find(db, key)).expect("it is there")
    }

    /// The access token, as an integration runtime gets it.
    pub async fn access_token(&self, from: &Services, key: &ConnectionKey) -> Result<String> {
        let token = from.access_token(&self.client, Some(&key.space), key, &Wanted::default()).await?;
        Ok(token.token.expose_secret().to_owned())
    }

    pub async fn open(
        &self,
        by: &Services,
        space: &str,
        version: u32,
        place: SealContext<'_>,
        sealed: &[u8],
    ) -> Result<String> {
        let mut reader = by.database.reader().await?;
        let opened = by.data_keys.open(reader.connection(), space, version, place, sealed).await?;
        Ok(opened.expose_secret().to_owned())
    }

    /// Holds that every value of a sealed connection opens, as what it was sealed.
    pub async fn assert_opens(&self, by: &Services, key: &ConnectionKey) {
        let name = &key.connection;
        let secrets = read_now!(by.database, db => client_secrets::of_connection(db, key));
        assert!(!secrets.is_empty(), "{key:?} has no secret");
        for secret in secrets {
            let (version, place) = (secret.data_key_version, secret_place(&secret.id));
            let opened = self.open(by, &key.space, version, place, &secret.sealed).await;
            assert_eq!(opened.expect("the secret opens"), format!("secret of {name}"));
        }
        let token = read_now!(by.database, db => tokens::find(db, key)).expect("it is there");
        let refresh = token.refresh_token.as_deref().expect("it has one");
        let place = refresh_place(&token.id);
        let opened = self.open(by, &key.space, token.data_key_version, place, refresh).await;
        assert_eq!(opened.expect("the refresh token opens"), format!("refresh token of {name}"));
        let (version, extra) = (token.data_key_version, token.extra.as_deref().expect("it has some"));
        let opened = self.open(by, &key.space, version, extra_place(&token.id), extra).await;
        assert_eq!(opened.expect("what came beside opens"), format!("beside the token of {name}"));
        let access = self.access_token(by, key).await.expect("the access token opens");
        assert_eq!(access, format!("access token of {name}"));
    }

    /// Rotates to a key that is new in the file, beside servers that have not read it yet.
    pub async fn rotate(&self) -> Rotation {
        Keyring::add(&self.file).expect("a key is added");
        self.rotate_again().await
    }

    /// Rotates with what the file holds, as the command does.
    pub async fn rotate_again(&self) -> Rotation {
        self.replica().await.rotate_keys(|_| {}).await.expect("rotated")
    }
}

pub fn is_unopenable<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(ServiceError::Unopenable))
}
