//! The API on a database of its own, asked without a network: tenants, a clock that stands still, and requests.
//!
//! What a test wants to know of an answer is a method of [`Reply`]; another setting is a field of [`Options`].

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode, request::Builder},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use ipack_core::{
    OAuth, Services, Setup,
    caller_limits::{CallerLimits, ClientAddress},
};
use ipack_domain::{effects::Clock, time::Timestamp};
use ipack_oauth::{addresses::Policy, configuration::Allowed, outbound::Outbound};
use ipack_storage::{Database, on_connection};
use ipack_vault::Keyring;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use tower::ServiceExt;
use tower_http::request_id::RequestId;

const START: i64 = 1_795_457_108_000_000;
pub const REQUEST_ID: &str = "request-of-a-test";

pub struct Options {
    pub body_limit: usize,
    pub limits: CallerLimits,
    pub setup: Setup,
}

impl Default for Options {
    fn default() -> Self {
        Self { body_limit: 1_048_576, limits: CallerLimits::off(), setup: setup(oauth()) }
    }
}

/// The public address that redirect URIs begin with.
pub const PUBLIC_URL: &str = "http://127.0.0.1:3000";
/// A master key of the tests, as a keyring's text.
pub const MASTER_KEY: &str = "v1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// An OAuth client that reaches this machine, where the tests' providers are.
pub fn oauth() -> OAuth {
    let allow = vec!["127.0.0.0/8".parse().expect("a network")];
    OAuth {
        outbound: Outbound::new(Policy { allow, ..Policy::default() }).expect("TLS is there"),
        allowed: Allowed::default(),
        public_url: PUBLIC_URL.into(),
    }
}

pub fn setup(oauth: OAuth) -> Setup {
    let keyring = Keyring::parse(MASTER_KEY.as_bytes(), "the tests").expect("a keyring");
    Setup { keyring, keyring_file: None, oauth }
}

pub struct TestApp {
    pub services: Services,
    pub database: Database,
    now: Arc<AtomicI64>,
    router: Router,
}

/// An account with one Space and one API token.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub space: String,
    pub username: String,
    pub token: String,
    pub jwt: String,
}

impl TestApp {
    pub async fn new(database: Database) -> Self {
        Self::with(database, Options::default()).await
    }

    pub async fn with(database: Database, options: Options) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let clock = {
            let now = now.clone();
            Clock::new(move || Timestamp(now.load(Ordering::Relaxed)))
        };
        let services =
            Services::new(database.clone(), clock, options.setup).await.expect("the services start");
        let settings =
            ipack_api::Settings { body_limit: options.body_limit, limits: Arc::new(options.limits) };
        let router = ipack_api::router(services.clone(), settings);
        Self { services, database, now, router }
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    pub async fn tenant(&self, account: &str, space: &str) -> Tenant {
        self.services.create_space(account, space, "A Space").await.expect("the Space is new");
        self.another_token(account, space).await
    }

    pub async fn another_token(&self, account: &str, space: &str) -> Tenant {
        let token = self.services.create_token(account, "ci", false).await.expect("the account is there");
        let made = self.services.generate_jwt(account, &token.username, &token.token).await;
        Tenant {
            space: space.into(),
            username: token.username,
            token: token.token,
            jwt: made.expect("a fresh token makes a JWT"),
        }
    }

    /// As the seed has it: JSON wanted and sent.
    pub async fn ask(&self, tenant: &Tenant, query: &str, variables: Value) -> Reply {
        self.post(tenant, &json!({"query": query, "variables": variables})).await
    }

    pub async fn post(&self, tenant: &Tenant, body: &Value) -> Reply {
        self.send(request(tenant).body(Body::from(body.to_string())).expect("a request")).await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        let extensions = request.extensions_mut();
        extensions.insert(RequestId::new(HeaderValue::from_static(REQUEST_ID)));
        extensions.insert(ClientAddress([192, 0, 2, 7].into()));
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is whole").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("answers are text");
        Reply { status: parts.status, headers: parts.headers, text }
    }

    pub async fn generate_jwt(&self, account_segment: &str, username: &str, token: &str) -> Reply {
        let basic = format!("Basic {}", STANDARD.encode(format!("{username}:{token}")));
        let request =
            Request::get(format!("/auth/jwt/generate/{account_segment}")).header("authorization", basic);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let mut reader = self.database.reader().await.expect("a connection is free");
        on_connection!(reader.connection(), executor => sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.clone())).fetch_one(executor))
            .expect("the table is there")
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
            "timeline",
            "suggestions",
        ] {
            assert_eq!(self.count(table).await, 0, "{table} is not empty: {why}");
        }
    }
}

/// `POST /graphql` with the seed's headers.
pub fn request(tenant: &Tenant) -> Builder {
    Request::post("/graphql")
        .header("space_guid", &tenant.space)
        .header("authorization", format!("Bearer {}", tenant.jwt))
        .header("accept", "application/json")
        .header("content-type", "application/json")
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a readable header"))
    }

    /// The value of a field of the root, in an answer without errors.
    pub fn data(&self, field: &str) -> Value {
        let json = self.json();
        assert!(json.get("errors").is_none(), "{json}");
        json["data"].get(field).unwrap_or_else(|| panic!("no {field}: {json}")).clone()
    }

    /// Code, field and message of the only error.
    pub fn error(&self) -> (String, Option<String>, String) {
        let json = self.json();
        let errors = json["errors"].as_array().unwrap_or_else(|| panic!("no errors: {json}"));
        assert_eq!(errors.len(), 1, "{json}");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let extensions = &errors[0]["extensions"];
        let code = text(&extensions["code"]).unwrap_or_else(|| panic!("no code: {json}"));
        (code, text(&extensions["field"]), text(&errors[0]["message"]).expect("a message"))
    }

    pub fn code(&self) -> String {
        self.error().0
    }

    pub fn message(&self) -> String {
        self.error().2
    }
}
