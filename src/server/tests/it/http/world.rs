//! What the tests of pages stand on: two tenants, their admins, a connection, and browsers.

use crate::http::browser::{Browser, Page};
use crate::support::app::TestApp;
use axum::Router;
use ipack_core::{
    access::{Admin, Client},
    connector::details::SaveDetails,
};
use ipack_domain::{
    effects::new_id,
    ids::{ConnectionKey, instance_path},
};
use ipack_server::config::Config;
use ipack_storage::{
    Database, Writer, environments,
    instances::{self, NewInstance},
};
use std::sync::Arc;

pub const PASSWORD: &str = "correct horse battery";
/// Sees every account.
pub const ROOT: &str = "root@example.com";
/// Two of one account, one of another.
pub const ANN: &str = "ann@example.com";
pub const BEN: &str = "ben@example.com";
pub const EVE: &str = "eve@elsewhere.example";
pub const ACCOUNT: &str = "account-1";
pub const SPACE: &str = "space-1";

pub struct World {
    pub app: TestApp,
    pub router: Router,
}

impl World {
    pub async fn new(database: Database) -> Self {
        Self::with(database, Config::default()).await
    }

    pub async fn with(database: Database, config: Config) -> Self {
        let app = TestApp::new(database).await;
        let services = &app.services;
        services.create_space(ACCOUNT, SPACE, "First Space").await.expect("a Space");
        services.create_space("account-2", "space-2", "Second Space").await.expect("a Space");
        let admins = [(ROOT, None), (ANN, Some(ACCOUNT)), (BEN, Some(ACCOUNT)), (EVE, Some("account-2"))];
        for (email, account) in admins {
            services.create_admin(email, PASSWORD.into(), account).await.expect("an admin");
        }
        let router = ipack_server::router::router(services.clone(), Arc::new(config));
        let world = Self { app, router };
        world.place(ACCOUNT, &key()).await;
        world
    }

    /// A browser that nobody has signed in with.
    pub fn stranger(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    pub async fn browser(&self, email: &str) -> Browser {
        let mut browser = self.stranger();
        let page = browser.sign_in(email, PASSWORD).await;
        assert_eq!(page.heading(), "Installed integrations", "{}", page.text());
        browser
    }

    /// The admin, past all doors.
    pub async fn admin(&self, email: &str) -> Admin {
        self.app.services.sign_in(email, PASSWORD.into()).await.expect("the password is right")
    }

    /// Everything that a connection's form needs, with nothing saved. Names are ids.
    pub async fn place(&self, account: &str, key: &ConnectionKey) {
        let now = self.app.services.clock.now();
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
            instances::register_connection(db.lend(), key).await
        };
        self.app.database.write(write).await.expect("registered");
    }

    /// A save through the API.
    pub async fn api_save(&self, key: &ConnectionKey, details: &str, client_id: &str) {
        let save = SaveDetails {
            key: key.clone(),
            is_token_generated: false,
            oauth_connector_details: details.into(),
            client_id: client_id.into(),
        };
        self.app.services.save_details(&client(), Some(SPACE), save).await.expect("saved");
    }

    /// What the API reads: the details' text and the API's own client id.
    pub async fn api_read(&self, key: &ConnectionKey) -> Option<(String, String)> {
        let found = self.app.services.find_details(&client(), Some(SPACE), key).await.expect("readable");
        found.map(|stored| (stored.oauth_connector_details, stored.client_id))
    }

    /// Text that tells one state of the tables that a form writes from another.
    pub async fn footprint(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in ["connector_details", "drafts", "attachments", "timeline", "suggestions", "sessions"] {
            counts.push(self.app.count(table).await);
        }
        counts.push(self.app.count("connector_details WHERE version > 1").await);
        counts
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
    Client { account: ACCOUNT.into(), name: "ci".into(), username: "BOOMI_TOKEN.ci".into() }
}

/// Opens the form of [`key`].
pub async fn open(browser: &mut Browser) -> Page {
    let page = browser.get(&key().form_path()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}
