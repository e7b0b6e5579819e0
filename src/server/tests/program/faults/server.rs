//! A server on a database, and a client that keeps a ledger of what was acknowledged.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use ipack_storage::Database;
use ipack_testing::api::{Reply, Tenant};
use ipack_testing::sample::{FIND, FOUND, SAVE, SAVED, SPACE, find_input, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tower::ServiceExt;

/// How long a fault may be felt after it is over, or may go unseen.
const SOON: Duration = Duration::from_secs(10);

pub struct Server {
    pub world: World,
    tenant: Tenant,
    router: Router,
    acknowledged: Arc<Mutex<Vec<u32>>>,
}

impl Server {
    pub async fn new(database: Database) -> Self {
        let world = World::empty(database).await;
        let tenant = world.tenant("account-1", SPACE).await;
        let router = world.router();
        Self { world, tenant, router, acknowledged: Arc::default() }
    }

    /// Another server over the same rows, on connections of its own, with the same client.
    pub async fn replica(&self, database: Database) -> Self {
        let world = World::empty(database).await;
        let router = world.router();
        Self { world, tenant: self.tenant.clone(), router, acknowledged: self.acknowledged.clone() }
    }

    /// A save of some kilobytes that no other is like, to a connection of its own.
    pub async fn save(&self, number: u32) -> Reply {
        let reply = self.world.ask(&self.tenant, SAVE, save_variables(number)).await;
        if reply.json().get("errors").is_none() {
            assert_eq!(reply.data(SAVED)["oauthConnectorDetails"], details(number));
            self.acknowledged.lock().expect("nobody panics").push(number);
        }
        reply
    }

    /// Holds that every acknowledged save is there, whole; answers how many there are.
    pub async fn assert_all_kept(&self) -> usize {
        let acknowledged = self.acknowledged.lock().expect("nobody panics").clone();
        for number in &acknowledged {
            let found = self.world.ask(&self.tenant, FIND, find_variables(*number)).await.data(FOUND);
            assert_eq!(found["oauthConnectorDetails"], details(*number), "{number} was acknowledged");
        }
        acknowledged.len()
    }

    pub async fn readiness(&self) -> StatusCode {
        let request = Request::get("/readyz").body(Body::empty()).expect("a request");
        self.router.clone().oneshot(request).await.expect("a router does not fail").status()
    }

    /// Waits until `/readyz` answers this.
    pub async fn assert_soon(&self, expected: StatusCode) {
        let begun = Instant::now();
        loop {
            let status = self.readiness().await;
            if status == expected {
                return;
            }
            assert!(begun.elapsed() < SOON, "/readyz still answers {status}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

pub fn save_variables(number: u32) -> Value {
    let input = of_number(save_input(), number);
    json!({"input": with(input, "oauthConnectorDetails", Some(details(number).into()))})
}

pub fn find_variables(number: u32) -> Value {
    json!({"input": of_number(find_input(), number)})
}

/// A connection of its own for each number. Half of them are first met with their process, whose saves are several
/// statements in a transaction; the others are one statement.
fn of_number(input: Value, number: u32) -> Value {
    let input = with(input, "connectionId", Some(number.to_string().into()));
    if number.is_multiple_of(2) { input } else { with(input, "processId", Some(number.to_string().into())) }
}

pub fn details(number: u32) -> String {
    let text = format!("{number} ").repeat(2_000);
    format!(r#"{{"baseURL":"https://b","companyId":"","clientId":"A","authParams":{{"text":"{text}"}}}}"#)
}
