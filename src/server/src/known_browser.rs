//! The cookie of a browser that somebody has signed in with. It lets nobody in; what such a browser posts after the session
//! has ended may be as large as a form can be, and that of any other may not.

use crate::state::AppState;
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use ipack_domain::time::Timestamp;
use tower_sessions::cookie::{Cookie, SameSite, time::Duration};
use uuid::Uuid;

/// How long a browser is known, and what is left of that when it is known anew.
const KNOWN: Duration = Duration::days(30);
const RENEWED: Duration = Duration::days(15);

fn name(is_https: bool) -> &'static str {
    if is_https { "__Host-ipack_browser" } else { "ipack_browser" }
}

/// The admin who signed in last with this browser, and until when it is known.
fn known(state: &AppState, headers: &HeaderMap) -> Option<(Uuid, i64)> {
    let name = name(state.config.is_https());
    let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie =
        sent.flat_map(Cookie::split_parse).filter_map(Result::ok).find(|cookie| cookie.name() == name)?;
    state.services.signing_key.check_browser(cookie.value(), state.services.clock.now())
}

/// The admin who signed in last with this browser.
pub fn last_admin(state: &AppState, headers: &HeaderMap) -> Option<Uuid> {
    known(state, headers).map(|(admin, _)| admin)
}

/// The cookie that a browser of this admin needs, where it has none, another's, or one that ends before long.
pub fn cookie_for(state: &AppState, headers: &HeaderMap, admin: Uuid) -> Option<HeaderValue> {
    let now = state.services.clock.now();
    let later = |span: Duration| Timestamp(now.0).plus_seconds(span.whole_seconds());
    if known(state, headers).is_some_and(|(known, until)| known == admin && until > later(RENEWED).seconds())
    {
        return None;
    }
    let is_https = state.config.is_https();
    let value = state.services.signing_key.sign_browser(admin, later(KNOWN)).ok()?;
    let cookie = Cookie::build((name(is_https), value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https)
        .path("/")
        .max_age(KNOWN);
    HeaderValue::from_str(&cookie.to_string()).ok()
}
