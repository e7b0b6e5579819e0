//! The one way out: every call to an identity provider goes through [`Outbound`].
//!
//! It reaches what [`Policy`] lets it reach, follows no redirect, uses no proxy, keeps no cookie, and reads so much for
//! so long and no more. What goes wrong is an [`OutboundError`], a sentence for an admin.
//!
//! reqwest does the calling. The guard is written here, because a filter in front of a client judges a name, and the
//! name may have another address by the time of the call: here the addresses themselves are judged, at the moment when
//! they are connected to, and bodies are cut off while they arrive.

mod errors;

use crate::addresses::{AddressClass, GuardedResolver, Policy, Resolver, SystemResolver};
pub use errors::{OutboundError, Slow};
use reqwest::{
    Client, Method, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect, retry,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use url::{Host, Url, form_urlencoded};

/// How long and how much; the time limits are for each call.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until name, TCP and TLS are done.
    pub connect: Duration,
    /// From the beginning until the answer's head is there, and then without another byte.
    pub read: Duration,
    /// From the first step to the last byte.
    pub total: Duration,
    /// Bytes of the body, unpacked.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(10),
            total: Duration::from_secs(20),
            body: 256 * 1024,
        }
    }
}

/// An answer of any status but a redirect.
pub struct Answer {
    /// Who answered, for sentences.
    pub host: String,
    pub status: u16,
    /// In lower case.
    pub content_type: Option<String>,
    /// The header `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// Wiped when dropped: it may hold tokens.
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Unpacked, whatever its type.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// An answer that nobody gave, for trying what reads answers.
    pub fn made_up(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            host: "idp.test".to_owned(),
            status,
            content_type: Some(content_type.to_owned()),
            retry_after: None,
            body: Zeroizing::new(body.into()),
        }
    }

    /// Reads the body as JSON, whatever its content type claims.
    ///
    /// # Errors
    /// [`OutboundError::NotJson`], which quotes nothing of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OutboundError> {
        serde_json::from_slice(&self.body).map_err(|_| {
            let is_page = self.content_type.as_deref().is_some_and(|kind| kind.starts_with("text/html"));
            OutboundError::NotJson { host: self.host.clone(), status: self.status, is_page }
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer {{ status: {}, length: {} }}", self.status, self.body.len())
    }
}

/// The guarded client. Made once and cloned: the clones share its connections.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    limits: Limits,
    /// Over https to a usual port: public addresses and allowed networks.
    everywhere: Client,
    /// Over http, or to another port: allowed networks alone. A client of its own, so that a connection of one is
    /// never taken for the other's.
    inside: Client,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("policy", &self.0.policy).field("limits", &self.0.limits).finish()
    }
}

impl Outbound {
    /// With the system's names and root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
    ///
    /// # Errors
    /// [`OutboundError::Setup`] where TLS or the resolver cannot be set up.
    pub fn new(policy: Policy) -> Result<Self, OutboundError> {
        Self::with(policy, Limits::default(), Arc::new(SystemResolver), system_roots())
    }

    /// With other limits, names and root certificates.
    ///
    /// # Errors
    /// Those of [`Outbound::new`].
    pub fn with(
        policy: Policy,
        limits: Limits,
        names: Arc<dyn Resolver>,
        roots: RootCertStore,
    ) -> Result<Self, OutboundError> {
        let policy = Arc::new(policy);
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| OutboundError::Setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = |public| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .https_only(public)
                .dns_resolver(GuardedResolver {
                    names: Arc::clone(&names),
                    policy: Arc::clone(&policy),
                    public,
                })
                .redirect(redirect::Policy::none())
                // A code or a refresh token is good once: whoever sent it decides what to do next.
                .retry(retry::never())
                .no_proxy()
                .referer(false)
                .user_agent(concat!("ipack-connect/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(limits.connect)
                .read_timeout(limits.read)
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(2)
                .build()
                .map_err(|error| OutboundError::Setup(error.to_string()))
        };
        let (everywhere, inside) = (client(true)?, client(false)?);
        Ok(Self(Arc::new(Inner { policy, limits, everywhere, inside })))
    }

    /// Everything that can be said of an address without resolving its name, for forms.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url.trim()).map_err(|_| OutboundError::NotAnAddress)?;
        self.0.client_for(&url)?;
        Ok(url)
    }

    /// # Errors
    /// Where the address is refused, or no complete answer came.
    pub async fn get_json(&self, url: &Url) -> Result<Answer, OutboundError> {
        self.send(Method::GET, url, HeaderMap::new(), None).await
    }

    /// Posts a form (`application/x-www-form-urlencoded`) and asks for JSON back. `authorization` is the whole value of
    /// that header, scheme included.
    ///
    /// # Errors
    /// Where the address is refused, or no complete answer came. [`OutboundError::may_have_arrived`] tells whether
    /// what was sent may be used up.
    pub async fn post_form(
        &self,
        url: &Url,
        authorization: Option<&SecretString>,
        form: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        self.post(url, authorization, "application/x-www-form-urlencoded", written_form(form)).await
    }

    /// Posts a JSON object; of a name that is there several times, a list.
    ///
    /// # Errors
    /// As [`Outbound::post_form`].
    pub async fn post_json(
        &self,
        url: &Url,
        authorization: Option<&SecretString>,
        members: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        let mut object = Map::new();
        for (name, value) in members {
            let value = Value::from(*value);
            match object.get_mut(*name) {
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None => drop(object.insert((*name).to_owned(), value)),
            }
        }
        self.post(url, authorization, "application/json", Value::Object(object).to_string()).await
    }

    async fn post(
        &self,
        url: &Url,
        authorization: Option<&SecretString>,
        content_type: &'static str,
        body: String,
    ) -> Result<Answer, OutboundError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::from_str(authorization.expose_secret())
                .map_err(|_| OutboundError::Unsendable { host: host_of(url) })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        self.send(Method::POST, url, headers, Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<String>,
    ) -> Result<Answer, OutboundError> {
        let client = self.0.client_for(url)?;
        let began = Instant::now();
        let mut request =
            client.request(method, url.clone()).header(ACCEPT, "application/json").headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let exchange = async {
            let response = request.send().await.map_err(|error| OutboundError::of(&error, url))?;
            self.read(url, response).await
        };
        let answer = tokio::time::timeout(self.0.limits.total, exchange)
            .await
            .unwrap_or_else(|_| Err(OutboundError::TimedOut { host: host_of(url), slow: Slow::Total }));
        let millis = began.elapsed().as_millis();
        match &answer {
            Ok(answer) => tracing::debug!(host = answer.host, status = answer.status, millis, "called"),
            Err(error) => tracing::debug!(%error, millis, "a call failed"),
        }
        answer
    }

    async fn read(&self, url: &Url, mut response: Response) -> Result<Answer, OutboundError> {
        let host = host_of(url);
        if response.status().is_redirection() {
            return Err(OutboundError::Redirected { host, to: redirected_to(url, response.headers()) });
        }
        let cap = self.0.limits.body;
        let too_much = || OutboundError::TooMuch { host: host.clone(), kibibytes: cap / 1024 };
        if response.content_length().is_some_and(|length| length > cap as u64) {
            return Err(too_much());
        }
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let content_type = header(CONTENT_TYPE).map(str::to_ascii_lowercase);
        let retry_after = header(RETRY_AFTER).map(str::to_owned);
        // Room for any token's answer, so that it does not move and leave copies behind. What is claimed of the length
        // decides nothing here.
        let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
        while let Some(chunk) = response.chunk().await.map_err(|error| OutboundError::of(&error, url))? {
            if body.len() + chunk.len() > cap {
                return Err(too_much());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { host, status, content_type, retry_after, body })
    }
}

impl Inner {
    /// The client that may call this address. A literal address is judged here, as it is never resolved; a name is
    /// judged by the client's resolver.
    fn client_for(&self, url: &Url) -> Result<&Client, OutboundError> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(OutboundError::NotAnAddress);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::UserInfo { host: host_of(url) });
        }
        let is_web = matches!(url.scheme(), "https" | "http");
        let everywhere = url.scheme() == "https" && self.policy.ports.contains(&port);
        if !is_web || (!everywhere && self.policy.allow.is_empty()) {
            return Err(OutboundError::only_inside(url));
        }
        let literal = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        match literal.map(|address| self.policy.classify(address)) {
            Some(AddressClass::Refused) => Err(OutboundError::AddressRefused { host: host_of(url) }),
            Some(AddressClass::Public) if !everywhere => Err(OutboundError::only_inside(url)),
            _ if everywhere => Ok(&self.everywhere),
            _ => Ok(&self.inside),
        }
    }
}

/// A form or a query. A blank is `%20`, which every server reads as one; not every server undoes a `+`.
pub(crate) fn written_form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().replace('+', "%20")
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The host that a redirect leads to, unless it is too long for any name (RFC 1035).
fn redirected_to(url: &Url, headers: &HeaderMap) -> Option<String> {
    let location = url.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    location.host_str().filter(|host| host.len() <= 253).map(str::to_owned)
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(errors = ?found.errors, "no root certificates were found: no https call can succeed");
    }
    roots
}
