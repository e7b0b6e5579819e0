//! Every server function and every page there is, as requests that would succeed for the right person.

use axum::{
    body::Body,
    http::{Method, Request, request::Builder},
};
use ipack_domain::ids::{ConnectionKey, instance_path, segment};
use ipack_testing::browser::{call, encode, post};
use ipack_testing::world::{ANN, PASSWORD};

/// A server function with its arguments.
#[derive(Debug, Clone)]
pub struct Function {
    pub method: Method,
    pub path: &'static str,
    pub arguments: String,
}

pub fn functions(key: &ConnectionKey) -> Vec<Function> {
    let get = |path, arguments: &[(&str, &str)]| function(Method::GET, path, arguments);
    let post = |path, arguments: &[(&str, &str)]| function(Method::POST, path, arguments);
    let ids = [
        ("key[space]", key.space.as_str()),
        ("key[instance]", &key.instance),
        ("key[environment]", &key.environment),
        ("key[process]", &key.process),
        ("key[connection]", &key.connection),
    ];
    let submitted =
        [&ids[..], &[("intent", "save"), ("base_version", "0"), ("content[client_id]", "written")]].concat();
    let here = [("space", key.space.as_str()), ("instance", &key.instance)];
    vec![
        get("/api/signed-in", &[]),
        get("/api/overview", &[("search", "")]),
        get("/api/instance", &here),
        get("/api/connector-view", &ids),
        get("/api/attempt", &[&ids[..], &[("id", "01a20995-4820-754a-9ead-1e30c2794642")]].concat()),
        get("/api/preflight", &ids),
        post("/api/attach", &[&here[..], &[("environment", "env-free")]].concat()),
        post("/api/connector", &submitted),
    ]
}

/// The server functions that name something of an account's.
pub fn functions_of(key: &ConnectionKey) -> Vec<Function> {
    functions(key).into_iter().filter(|one| !matches!(one.path, "/api/signed-in" | "/api/overview")).collect()
}

fn function(method: Method, path: &'static str, arguments: &[(&str, &str)]) -> Function {
    let arguments: Vec<_> = arguments.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Function { method, path, arguments: encode(&arguments) }
}

impl Function {
    /// As the browser's half asks.
    pub fn request(&self) -> Request<Body> {
        self.by(&self.method)
    }

    /// By another method than its own, if need be.
    pub fn by(&self, method: &Method) -> Request<Body> {
        self.finish(call(method.clone(), &self.address(method)), method)
    }

    /// A plain form, as without JavaScript.
    pub fn form(&self) -> Request<Body> {
        self.finish(post(self.path), &Method::POST)
    }

    pub fn address(&self, method: &Method) -> String {
        if *method == Method::GET { format!("{}?{}", self.path, self.arguments) } else { self.path.into() }
    }

    pub fn finish(&self, builder: Builder, method: &Method) -> Request<Body> {
        let body = if *method == Method::GET { String::new() } else { self.arguments.clone() };
        builder.body(Body::from(body)).expect("a request")
    }
}

/// The pages that need somebody signed in.
pub fn pages(key: &ConnectionKey) -> Vec<String> {
    let instance = instance_path(&key.space, &key.instance);
    vec![
        "/".into(),
        "/?q=no-such-name".into(),
        instance.clone(),
        format!("{instance}?environment={}&process={}", segment(&key.environment), segment(&key.process)),
        key.form_path(),
        format!("{}/preflight", key.form_path()),
    ]
}

/// A sign-in's fields.
pub fn credentials(email: &str, password: &str) -> String {
    encode(&[("email".into(), email.into()), ("password".into(), password.into())])
}

pub fn right_credentials() -> String {
    credentials(ANN, PASSWORD)
}
