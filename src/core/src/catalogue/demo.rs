//! Demo content for a first look: one account whose Space has packs, environments and installed instances.
//!
//! It goes in through the same doors as everything else. To show more: `demo.json`, and the lists here.

use crate::{
    access::Client,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{ids::ConnectionKey, rights::Rights};
use ipack_storage::{Writer, accounts, environments};

pub const ACCOUNT: &str = "childaccount-ZF3X9U";
/// The Space of the API's sample request.
pub const SPACE: &str = "796eeeb4-1b2f-4965-898a-7e443";

/// Pack, name of the instance, environments it is attached to.
const INSTANCES: [(&str, &str, &[&str]); 4] = [
    ("accounting-sync", "Accounting Sync – North", &["env-prod", "env-test"]),
    ("accounting-sync", "Accounting Sync – South", &["env-prod"]),
    ("crm-leads", "Lead Capture", &["env-prod", "env-test"]),
    ("service-desk", "Service Desk Bridge", &["env-test"]),
];

impl Services {
    /// Adds the demo to a database without any account; `false` where there is one.
    pub async fn load_demo(&self) -> Result<bool> {
        let mut reader = self.database.reader().await?;
        let taken = accounts::any(reader.connection()).await?;
        drop(reader);
        if taken {
            return Ok(false);
        }
        self.create_space(ACCOUNT, SPACE, "Field Operations").await?;
        self.import_catalogue(SPACE, include_str!("demo.json")).await?;
        let client = Client {
            account: ACCOUNT.into(),
            name: "demo".into(),
            username: "BOOMI_TOKEN.demo".into(),
            rights: Rights::usual(),
        };
        for (pack, name, attached_to) in INSTANCES {
            let instance = self.install(&client, Some(SPACE), pack, Some(name)).await?;
            let now = self.clock.now();
            let attach = async |mut db: Writer| {
                for environment in attached_to {
                    let id = ipack_domain::effects::new_id(now);
                    environments::attach(db.lend(), id, SPACE, &instance.id, environment, now).await?;
                }
                Ok::<_, ServiceError>(())
            };
            self.database.write(attach).await?;
            if pack == "crm-leads" {
                self.save_demo_details(&client, &instance.id).await?;
            }
        }
        Ok(true)
    }

    async fn save_demo_details(&self, client: &Client, instance: &str) -> Result<()> {
        let save = crate::connector::details::SaveDetails {
            key: ConnectionKey {
                space: SPACE.into(),
                instance: instance.into(),
                environment: "env-prod".into(),
                process: "new-leads".into(),
                connection: "crm".into(),
            },
            is_token_generated: false,
            oauth_connector_details: concat!(
                r#"{"baseURL":"https://crm.example.com","companyId":"4410","clientId":"lead-capture","#,
                r#""authParams":{"audience":"crm"},"accessTokenParams":{}}"#
            )
            .into(),
            client_id: "lead-capture".into(),
        };
        self.save_details(client, Some(SPACE), save).await.map(drop)
    }
}
