//! What happens to every request on its way in and out: an id, who asks, where from, and the headers that keep
//! browsers on their guard.

use crate::config::Config;
use crate::{
    carry,
    error_page::{error_response, failure, too_large},
    known_browser, sign_in,
    state::AppState,
    unsaved::{CONNECTOR_POST, unsaved},
};
use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use futures::FutureExt;
use ipack_core::caller_limits::ClientAddress;
use ipack_domain::{
    effects::{Clock, new_id},
    error::{AppError, ErrorCode},
    ids::segment,
};
use ipack_web::request_context::CurrentAdmin;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    time::Duration,
};
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_sessions::Session;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives each request an id that sorts by time.
#[derive(Debug, Clone)]
pub struct RequestIds(pub Clock);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = new_id(self.0.now()).simple().to_string();
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}

/// The id that a proxy gave the request stays, if it looks like one; it comes back in pages and in the log.
pub async fn plain_request_id(mut request: Request) -> Request {
    let is_plain = |id: &HeaderValue| {
        (1..=64).contains(&id.len())
            && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    if request.headers().get(REQUEST_ID).is_some_and(|id| !is_plain(id)) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// What each line of the log about a request has. Without the query, in which people search for things.
pub fn request_span(request: &Request) -> tracing::Span {
    let id =
        request.extensions().get::<RequestId>().map(ipack_web::request_context::id_text).unwrap_or_default();
    let (method, path) = (request.method(), request.uri().path());
    tracing::info_span!("request", %method, path, request_id = id)
}

/// The one line that every request leaves.
pub fn log_response(response: &Response, latency: Duration, _: &tracing::Span) {
    let (status, milliseconds) = (response.status().as_u16(), latency.as_secs_f64() * 1_000.0);
    tracing::info!(status, milliseconds, "answered");
}

pub async fn client_address(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
    let address = believed_address(peer, request.headers(), &state.config);
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

/// The peer, or, where that is a proxy of ours, the last address in `X-Forwarded-For` that is not.
fn believed_address(peer: IpAddr, headers: &HeaderMap, config: &Config) -> IpAddr {
    let is_proxy = |address: &IpAddr| config.trusted_proxies.iter().any(|network| network.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    // From the right, where our proxies write. What stands left of something that is no address, the caller wrote.
    headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','))
        .map_while(forwarded_address)
        .map(|address| address.to_canonical())
        .find(|address| !is_proxy(address))
        .unwrap_or(peer)
}

/// An address as proxies write it: alone or with a port, one of IPv6 in brackets or without.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Finds out who is signed in. Whoever is not gets the sign-in page, or a 401 where no page was asked for; what they
/// had typed into a form goes along and is theirs again after signing in.
pub async fn identify(
    State(state): State<AppState>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_page = ipack_web::request_context::wants_html(&parts);
    let request_id = ipack_web::request_context::request_id(&parts);
    // Who signs out has no need to sign in for it first.
    let is_sign_in = matches!(parts.uri.path(), "/login" | "/logout");
    let is_open = is_sign_in || crate::oauth_pages::is_open(parts.uri.path());
    let admin = match sign_in::current_admin(&state, &session, &request_id).await {
        Ok(admin) => admin,
        Err(_) if is_sign_in => None,
        Err(error) if is_page && parts.method == Method::POST => {
            return match to_bytes(body, carry::limit(&state, &parts.headers)).await {
                Ok(posted) => unsaved(state, error, parts.uri.path(), &posted).await,
                Err(_) => too_large(state, is_page).await,
            };
        }
        Err(error) => return failure(state, is_page, error).await,
    };
    let is_get = parts.method == Method::GET;
    let cookie = admin
        .as_ref()
        .filter(|_| is_get && is_page)
        .and_then(|admin| known_browser::cookie_for(&state, &parts.headers, admin.id));
    let is_known = admin.is_some();
    parts.extensions.insert(CurrentAdmin(admin));
    if is_known || is_open {
        let mut response = next.run(Request::from_parts(parts, body)).await;
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        return response;
    }
    if is_get && is_page {
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        return Redirect::to(&format!("/login?next={}", segment(here))).into_response();
    }
    if parts.method == Method::POST && is_page {
        if parts.uri.path() != CONNECTOR_POST {
            return sign_in::ended(state).await;
        }
        return carry::carry(state, Request::from_parts(parts, body)).await;
    }
    error_response(AppError::unauthorized())
}

/// Answers a request that panicked as an error that is our fault, with its id.
pub async fn catch_panic(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let is_api = parts.uri.path() == "/graphql";
    let is_page = ipack_web::request_context::wants_html(&parts);
    let request_id = ipack_web::request_context::request_id(&parts);
    let headers = parts.headers.clone();
    let answer = next.run(Request::from_parts(parts, body));
    // What it may have left half done is its own: locks are taken anyway, and transactions are rolled back.
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(request_id, "a request panicked");
            let error = AppError {
                request_id: Some(request_id),
                ..AppError::new(ErrorCode::GenericSystemError, "Something went wrong on the server.")
            };
            if is_api {
                ipack_api::error_response(&headers, error)
            } else {
                failure(state, is_page, error).await
            }
        }
    }
}

/// After so many seconds a client may ask again for what could not be done.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Headers of every answer. Pages bring a Content-Security-Policy of their own; nothing else needs to load anything.
pub async fn security_headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Forms without JavaScript find their way back by the referrer, which stays on this site.
    default(REFERRER_POLICY, "same-origin");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    default(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    default(CACHE_CONTROL, "no-store");
    if state.config.is_https() {
        default(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(peer: &str, forwarded: &str, proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).expect("a header"));
        let trusted_proxies = proxies.iter().map(|network| network.parse().expect("a network")).collect();
        let config = Config { trusted_proxies, ..Config::default() };
        believed_address(peer.parse().expect("an address"), &headers, &config).to_string()
    }

    #[test]
    fn s38_a_forged_forwarded_header_does_not_help() {
        assert_eq!(believed("203.0.113.9", "1.2.3.4", &[]), "203.0.113.9");
        assert_eq!(believed("203.0.113.9", "1.2.3.4", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(believed("10.0.0.1", "1.2.3.4, 203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(believed("10.0.0.1", "203.0.113.9, 10.0.0.2", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(believed("10.0.0.1", "nonsense", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(believed("10.0.0.1", "1.2.3.4, nonsense, 203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(believed("10.0.0.1", "1.2.3.4, nonsense", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(believed("10.0.0.1", "1.2.3.4, ::ffff:203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn an_address_is_forwarded_with_a_port_or_in_brackets_too() {
        for (text, address) in [
            ("203.0.113.9:4711", Some("203.0.113.9")),
            ("[2001:db8::9]", Some("2001:db8::9")),
            (" [2001:db8::9]:4711 ", Some("2001:db8::9")),
            ("2001:db8::9", Some("2001:db8::9")),
            ("[::ffff:203.0.113.9]:80", Some("203.0.113.9")),
            ("203.0.113.9:", None),
            ("203.0.113.9:x", None),
            ("[203.0.113.9", None),
            ("example.com:80", None),
            ("unknown", None),
        ] {
            let expected = address.unwrap_or("10.0.0.1");
            assert_eq!(
                believed("10.0.0.1", &format!("1.2.3.4, {text}"), &["10.0.0.0/8"]),
                expected,
                "{text}"
            );
        }
        let proxies = ["10.0.0.0/8", "2001:db8::/32"];
        assert_eq!(
            believed("10.0.0.1", "203.0.113.9:1, [2001:db8::9]:2, 10.0.0.2:3", &proxies),
            "203.0.113.9"
        );
    }
}
