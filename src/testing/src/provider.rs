//! An identity provider that behaves, on top of [`Hostile`]: it gives out codes and tokens, takes each once, and
//! remembers what it was asked.
//!
//! Tests bend it by its [`Rules`].

use crate::hostile::{Behaviour, Hostile, Reply, Request};
use crate::world::PUBLIC_URL;
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_oauth::authorize::code_challenge;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::{Url, form_urlencoded};

/// The token endpoint, also by the names that presets with templates give it.
const TOKEN: [&str; 3] = ["/token", "/admin/oauth/access_token", "/oauth/tokens"];

/// How the provider behaves from now on.
#[derive(Debug, Clone)]
pub struct Rules {
    pub expires_in: Option<i64>,
    pub gives_refresh_tokens: bool,
    /// A refresh brings another refresh token, and using an old one again revokes the whole family.
    pub rotates: bool,
    pub scope: Option<String>,
    /// The issuer that the metadata name, where it is another one.
    pub issuer: Option<String>,
    pub announces_issuer: bool,
    /// What the metadata offer; unsaid where there is nothing.
    pub client_authentications: Option<Vec<String>>,
    /// Secrets that prove the client, by either way; with none, nobody has to prove anything.
    pub secrets: Vec<String>,
    /// How long the token endpoint takes.
    pub slow: Duration,
    /// What the token endpoint answers before it does what it should.
    pub next: VecDeque<Reply>,
    pub revocation_status: u16,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            expires_in: Some(3_600),
            gives_refresh_tokens: true,
            rotates: true,
            scope: None,
            issuer: None,
            announces_issuer: false,
            client_authentications: None,
            secrets: Vec::new(),
            slow: Duration::ZERO,
            next: VecDeque::new(),
            revocation_status: 200,
        }
    }
}

struct Code {
    redirect_uri: String,
    challenge: Option<String>,
}

#[derive(Default)]
struct State {
    rules: Rules,
    codes: HashMap<String, Code>,
    given: usize,
    /// The family of each refresh token that can be used.
    live: HashMap<String, usize>,
    used: HashMap<String, usize>,
    revoked: HashSet<usize>,
}

pub struct Provider {
    server: Hostile,
    state: Arc<Mutex<State>>,
}

impl Provider {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let asked = Arc::clone(&state);
        let server = Hostile::start(Behaviour::script(move |request| answer(&asked, request))).await;
        Self { server, state }
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut lock(&self.state).rules);
    }

    /// The token endpoint answers like this once.
    pub fn answers_next(&self, reply: Reply) {
        self.rules(|rules| rules.next.push_back(reply));
    }

    /// A person agrees: where the browser is sent back to, as a path of ours.
    pub fn agree(&self, authorization: &Url) -> String {
        let (redirect_uri, state) = asked_for(authorization);
        let code = {
            let mut known = lock(&self.state);
            known.given += 1;
            let code = format!("code-{}", known.given);
            let challenge = parameter(authorization, "code_challenge");
            known.codes.insert(code.clone(), Code { redirect_uri: redirect_uri.clone(), challenge });
            code
        };
        back(&redirect_uri, &[("code", &code), ("state", &state)])
    }

    pub fn refuse(&self, authorization: &Url, error: &str, description: &str) -> String {
        let (redirect_uri, state) = asked_for(authorization);
        back(&redirect_uri, &[("error", error), ("error_description", description), ("state", &state)])
    }

    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    pub fn token_calls(&self) -> Vec<Request> {
        self.posted(&TOKEN)
    }

    pub fn revocations(&self) -> Vec<Request> {
        self.posted(&["/revoke"])
    }

    /// How many families of refresh tokens were revoked because one was used twice.
    pub fn revoked_families(&self) -> usize {
        lock(&self.state).revoked.len()
    }

    fn posted(&self, paths: &[&str]) -> Vec<Request> {
        let is_it = |request: &Request| request.method == "POST" && paths.contains(&request.path.as_str());
        self.server.requests().into_iter().filter(is_it).collect()
    }
}

pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The value of a posted field, which is there at most once.
pub fn field(request: &Request, name: &str) -> Option<String> {
    let mut values = request.form().into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = values.next();
    assert!(values.next().is_none(), "{name} is there twice");
    value
}

/// Client id and secret of a Basic header, decoded as RFC 6749, section 2.3.1 has it.
pub fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        let found = form_urlencoded::parse(format!("x={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned());
        found.unwrap_or_default()
    };
    Some((decode(id), decode(secret)))
}

fn asked_for(authorization: &Url) -> (String, String) {
    let found = |name| parameter(authorization, name).unwrap_or_else(|| panic!("no {name}: {authorization}"));
    (found("redirect_uri"), found("state"))
}

fn back(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let path = redirect_uri.strip_prefix(PUBLIC_URL).expect("back to us").to_owned();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{path}?{query}")
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &Mutex<State>, request: &Request) -> Reply {
    let issuer = format!("http://{}", request.header("host").unwrap_or_default());
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => {
            let state = lock(state);
            let rules = &state.rules;
            let mut metadata = json!({
                    "issuer": rules.issuer.as_ref().unwrap_or(&issuer),
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "revocation_endpoint": format!("{issuer}/revoke"),
                    "authorization_response_iss_parameter_supported": rules.announces_issuer,
            });
            if let Some(ways) = &rules.client_authentications {
                metadata["token_endpoint_auth_methods_supported"] = ways.clone().into();
            }
            Reply::json(200, &metadata)
        }
        ("POST", path) if TOKEN.contains(&path) => {
            let slow = lock(state).rules.slow;
            if !slow.is_zero() {
                tokio::task::block_in_place(|| std::thread::sleep(slow));
            }
            lock(state).token(request)
        }
        ("POST", "/revoke") => Reply::json(lock(state).rules.revocation_status, &json!({})),
        _ => Reply::new(404, "text/plain", "There is nothing here."),
    }
}

fn refusal(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}

impl State {
    fn token(&mut self, request: &Request) -> Reply {
        if let Some(reply) = self.rules.next.pop_front() {
            return reply;
        }
        let secret = basic(request).map(|(_, secret)| secret).or_else(|| field(request, "client_secret"));
        if !self.rules.secrets.is_empty()
            && !secret.is_some_and(|secret| self.rules.secrets.contains(&secret))
        {
            return refusal(401, "invalid_client");
        }
        match field(request, "grant_type").unwrap_or_default().as_str() {
            "authorization_code" => self.of_code(request),
            "refresh_token" => self.of_refresh_token(&field(request, "refresh_token").unwrap_or_default()),
            "client_credentials" | "password" | "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                self.granted(None)
            }
            _ => refusal(400, "unsupported_grant_type"),
        }
    }

    fn of_code(&mut self, request: &Request) -> Reply {
        let code = field(request, "code").unwrap_or_default();
        let Some(code) = self.codes.remove(&code) else { return refusal(400, "invalid_grant") };
        let is_proved =
            field(request, "code_verifier").map(|verifier| code_challenge(&verifier)) == code.challenge;
        if !is_proved || field(request, "redirect_uri") != Some(code.redirect_uri) {
            return refusal(400, "invalid_grant");
        }
        let family = self.given + 1;
        self.granted(self.rules.gives_refresh_tokens.then_some(family))
    }

    fn of_refresh_token(&mut self, token: &str) -> Reply {
        if let Some(family) = self.used.get(token) {
            self.revoked.insert(*family);
        }
        let family = self.live.get(token).copied().filter(|family| !self.revoked.contains(family));
        let Some(family) = family else { return refusal(400, "invalid_grant") };
        if !self.rules.rotates {
            return self.granted(None);
        }
        self.live.remove(token);
        self.used.insert(token.to_owned(), family);
        self.granted(Some(family))
    }

    /// `access-n`, and `refresh-n` where it belongs to a family.
    fn granted(&mut self, family: Option<usize>) -> Reply {
        self.given += 1;
        let number = self.given;
        let mut body = json!({ "access_token": format!("access-{number}"), "token_type": "Bearer" });
        if let Some(family) = family {
            let token = format!("refresh-{number}");
            body["refresh_token"] = Value::from(token.clone());
            self.live.insert(token, family);
        }
        if let Some(seconds) = self.rules.expires_in {
            body["expires_in"] = seconds.into();
        }
        if let Some(scope) = &self.rules.scope {
            body["scope"] = scope.clone().into();
        }
        Reply::json(200, &body)
    }
}
