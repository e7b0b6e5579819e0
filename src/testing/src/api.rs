//! A client of the GraphQL API, asked without a network: who asks, what is asked, and what was answered.
//!
//! What a test wants to know of an answer is a method of [`Reply`].

use crate::world::World;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode, request::Builder},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use ipack_core::caller_limits::ClientAddress;
use ipack_domain::rights::Rights;
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_http::request_id::RequestId;

pub const REQUEST_ID: &str = "request-of-a-test";

/// An account with one Space and one API token.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub space: String,
    pub username: String,
    pub token: String,
    pub jwt: String,
}

impl World {
    pub async fn tenant(&self, account: &str, space: &str) -> Tenant {
        self.services.create_space(account, space, "A Space").await.expect("the Space is new");
        self.another_token(account, space).await
    }

    pub async fn another_token(&self, account: &str, space: &str) -> Tenant {
        self.token_with(account, space, Rights::usual()).await
    }

    pub async fn token_with(&self, account: &str, space: &str, rights: Rights) -> Tenant {
        let token = self.services.create_token(account, "ci", rights, None).await;
        let token = token.expect("the account is there");
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
        let response = self.api.clone().oneshot(request).await.expect("a router does not fail");
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
