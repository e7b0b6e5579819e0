//! The world of one test: the whole program around a database, and who is in it.
//!
//! ```ignore
//! let world = World::new(database).await;                                  // two tenants, their admins, a connection
//! let world = World::empty(database).await;                                // nobody yet
//! let world = World::builder(database).config(config).ticking().build().await;
//! ```
//!
//! Another setting is a field of [`Builder`] and the method that sets it.

use crate::{
    browser::{Browser, Page},
    tables,
};
use axum::Router;
use ipack_core::{
    OAuth, Services, Setup,
    access::{Admin, Client},
    accounts::passwords::Cost,
    caller_limits::CallerLimits,
    connector::details::SaveDetails,
};
use ipack_domain::{
    effects::{Clock, new_id},
    ids::{ConnectionKey, instance_path},
    rights::Rights,
    time::Timestamp,
};
use ipack_oauth::{addresses::Policy, configuration::Allowed, outbound::Outbound};
use ipack_server::config::Config;
use ipack_storage::{
    Database, Writer, environments,
    instances::{self, NewInstance},
};
use ipack_vault::Keyring;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery";
/// Sees every account.
pub const ROOT: &str = "root@example.com";
/// Two of one account, one of another.
pub const ANN: &str = "ann@example.com";
pub const BEN: &str = "ben@example.com";
pub const EVE: &str = "eve@elsewhere.example";
pub const ACCOUNT: &str = "account-1";
pub const SPACE: &str = "space-1";

/// The public address that redirect URIs begin with.
pub const PUBLIC_URL: &str = "http://127.0.0.1:3000";
/// A master key of the tests, as a keyring's text.
pub const MASTER_KEY: &str = "v1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
/// When every world begins.
pub const START: Timestamp = Timestamp(1_795_457_108_000_000);

/// An OAuth client that reaches this machine, where the tests' providers are.
pub fn oauth() -> OAuth {
    let allow = vec!["127.0.0.0/8".parse().expect("a network")];
    OAuth {
        outbound: Outbound::new(Policy { allow, ..Policy::default() }).expect("TLS is there"),
        allowed: Allowed::default(),
        public_url: PUBLIC_URL.into(),
    }
}

/// What a server needs, with passwords that cost next to nothing.
pub fn setup(oauth: OAuth) -> Setup {
    let keyring = Keyring::parse(MASTER_KEY.as_bytes(), "the tests").expect("a keyring");
    Setup { keyring, keyring_file: None, oauth, password_cost: Cost::LEAST }
}

/// As [`setup`], with the keyring of a file.
pub fn setup_of(file: &Path) -> Setup {
    let keyring = Keyring::read(file).expect("a keyring");
    Setup { keyring, keyring_file: Some(file.to_owned()), ..setup(oauth()) }
}

/// A [`World`] to be: [`Builder::build`] makes it.
#[must_use]
pub struct Builder {
    database: Database,
    config: Config,
    body_limit: usize,
    limits: CallerLimits,
    oauth: OAuth,
    has_keyring_file: bool,
    is_ticking: bool,
    is_peopled: bool,
}

impl Builder {
    /// The program's configuration, as far as it is about its router.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The most bytes of a request that [`World::send`] gets through.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How often callers of [`World::send`] may ask; without this, as often as they like.
    pub fn limits(mut self, limits: CallerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Another OAuth client than [`oauth`].
    pub fn oauth(mut self, change: impl FnOnce(&mut OAuth)) -> Self {
        change(&mut self.oauth);
        self
    }

    /// The keyring is a file that more keys can be added to, [`World::keyring_file`].
    pub fn keyring_file(mut self) -> Self {
        self.has_keyring_file = true;
        self
    }

    /// The clock goes on by a microsecond each time that somebody looks, so that what comes later is later.
    pub fn ticking(mut self) -> Self {
        self.is_ticking = true;
        self
    }

    /// Nobody is in it yet.
    pub fn empty(mut self) -> Self {
        self.is_peopled = false;
        self
    }

    pub async fn build(self) -> World {
        let now = Arc::new(AtomicI64::new(START.0));
        let (looked_at, tick) = (now.clone(), i64::from(self.is_ticking));
        let clock = Clock::new(move || Timestamp(looked_at.fetch_add(tick, Ordering::Relaxed)));
        let keyring_folder = self.has_keyring_file.then(new_keyring);
        let setup = match &keyring_folder {
            Some(folder) => Setup { oauth: self.oauth, ..setup_of(&folder.path().join(KEYRING)) },
            None => setup(self.oauth),
        };
        let services = Services::new(self.database.clone(), clock, setup).await.expect("the services start");
        let settings = ipack_api::Settings { body_limit: self.body_limit, limits: Arc::new(self.limits) };
        let world = World {
            database: self.database,
            api: ipack_api::router(services.clone(), settings),
            config: Arc::new(self.config),
            router: OnceLock::new(),
            services,
            now,
            keyring_folder,
        };
        if self.is_peopled {
            world.add_people().await;
        }
        world
    }
}

const KEYRING: &str = "master.key";

fn new_keyring() -> TempDir {
    let folder = TempDir::with_prefix("ipack-keys-").expect("a temporary folder can be made");
    Keyring::create(&folder.path().join(KEYRING)).expect("a keyring is made");
    folder
}

pub struct World {
    pub services: Services,
    pub database: Database,
    /// The API alone, without what the program puts in front of it.
    pub(crate) api: Router,
    config: Arc<Config>,
    /// Made when it is first asked for: many tests do without.
    router: OnceLock<Router>,
    now: Arc<AtomicI64>,
    keyring_folder: Option<TempDir>,
}

impl World {
    pub fn builder(database: Database) -> Builder {
        Builder {
            database,
            config: Config::default(),
            body_limit: 1_048_576,
            limits: CallerLimits::off(),
            oauth: oauth(),
            has_keyring_file: false,
            is_ticking: false,
            is_peopled: true,
        }
    }

    /// Two tenants, their admins, and the connection of [`key`].
    pub async fn new(database: Database) -> Self {
        Self::builder(database).build().await
    }

    /// A world that nobody is in yet.
    pub async fn empty(database: Database) -> Self {
        Self::builder(database).empty().build().await
    }

    async fn add_people(&self) {
        let services = &self.services;
        services.create_space(ACCOUNT, SPACE, "First Space").await.expect("a Space");
        services.create_space("account-2", "space-2", "Second Space").await.expect("a Space");
        let admins = [(ROOT, None), (ANN, Some(ACCOUNT)), (BEN, Some(ACCOUNT)), (EVE, Some("account-2"))];
        for (email, account) in admins {
            services.create_admin(email, PASSWORD.into(), account).await.expect("an admin");
        }
        self.place(ACCOUNT, &key()).await;
    }

    /// The world from now on with another OAuth client.
    pub fn with_oauth(mut self, change: impl FnOnce(&mut OAuth)) -> Self {
        let mut changed = oauth();
        change(&mut changed);
        self.services.oauth = Arc::new(changed);
        self.router = OnceLock::new();
        self
    }

    /// The whole program.
    pub fn router(&self) -> Router {
        self.router.get_or_init(|| self.another_router(self.config.clone())).clone()
    }

    /// The whole program once more, as another process over the same database would be.
    pub fn another_router(&self, config: impl Into<Arc<Config>>) -> Router {
        ipack_server::router::router(self.services.clone(), config.into())
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Where the keys are.
    pub fn keyring_file(&self) -> PathBuf {
        let folder = self.keyring_folder.as_ref().expect("Builder::keyring_file puts them into a file");
        folder.path().join(KEYRING)
    }

    /// A browser that nobody has signed in with.
    pub fn stranger(&self) -> Browser {
        Browser::new(self.router())
    }

    pub async fn browser(&self, email: &str) -> Browser {
        let mut browser = self.stranger();
        let page = browser.sign_in(email, PASSWORD).await;
        assert_eq!(page.heading(), "Installed integrations", "{}", page.text());
        browser
    }

    /// The admin, past all doors.
    pub async fn admin(&self, email: &str) -> Admin {
        self.services.sign_in(email, PASSWORD.into()).await.expect("the password is right")
    }

    /// Everything that a connection's form needs, with nothing saved. Names are ids.
    pub async fn place(&self, account: &str, key: &ConnectionKey) {
        let now = self.services.clock.now();
        let new = NewInstance {
            space: &key.space,
            id: &key.instance,
            account,
            pack: None,
            name: &key.instance,
            override_name: None,
            pack_name: "",
            single_pack: None,
        };
        let write = async |mut db: Writer| {
            environments::register(db.lend(), &key.space, &key.environment, now).await?;
            instances::register(db.lend(), new, now).await?;
            let id = new_id(now);
            environments::attach(db.lend(), id, &key.space, &key.instance, &key.environment, now).await?;
            instances::register_process(db.lend(), key).await?;
            instances::register_connection(db.lend(), key).await
        };
        self.database.write(write).await.expect("registered");
    }

    /// A save through the API.
    pub async fn api_save(&self, key: &ConnectionKey, details: &str, client_id: &str) {
        let save = SaveDetails {
            key: key.clone(),
            is_token_generated: false,
            oauth_connector_details: details.into(),
            client_id: client_id.into(),
        };
        self.services.save_details(&client(), Some(SPACE), save).await.expect("saved");
    }

    /// What the API reads: the details' text and the API's own client id.
    pub async fn api_read(&self, key: &ConnectionKey) -> Option<(String, String)> {
        let found = self.services.find_details(&client(), Some(SPACE), key).await.expect("readable");
        found.map(|stored| (stored.oauth_connector_details, stored.client_id))
    }

    /// Text that tells one state of the tables that a form writes from another.
    pub async fn footprint(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in ["connector_details", "drafts", "attachments", "timeline", "suggestions", "sessions"] {
            counts.push(self.count(table).await);
        }
        counts.push(self.count("connector_details WHERE version > 1").await);
        counts
    }

    pub async fn count(&self, table: &str) -> i64 {
        tables::count(&self.database, table).await
    }

    /// Holds that no request has written anything.
    pub async fn assert_nothing_stored(&self, why: &str) {
        for table in [
            "connector_details",
            "instances",
            "processes",
            "connections",
            "environments",
            "attachments",
            // Whoever sets a world up is in it too.
            "timeline WHERE kind NOT IN ('space_created', 'api_token_created', 'catalogue_imported')",
            "suggestions",
        ] {
            assert_eq!(self.count(table).await, 0, "{table} is not empty: {why}");
        }
    }
}

/// The connection that every world has.
pub fn key() -> ConnectionKey {
    ConnectionKey {
        space: SPACE.into(),
        instance: "instance-1".into(),
        environment: "env-1".into(),
        process: "process-1".into(),
        connection: "connection-1".into(),
    }
}

pub fn in_environment(environment: &str) -> ConnectionKey {
    ConnectionKey { environment: environment.into(), ..key() }
}

pub fn instance_page() -> String {
    instance_path(SPACE, "instance-1")
}

fn client() -> Client {
    Client {
        account: ACCOUNT.into(),
        name: "ci".into(),
        username: "BOOMI_TOKEN.ci".into(),
        rights: Rights::all(),
    }
}

/// Opens the form of [`key`].
pub async fn open(browser: &mut Browser) -> Page {
    let page = browser.get(&key().form_path()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}
