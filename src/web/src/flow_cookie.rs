//! The cookie that tells the browser that began getting a token from every other one.
//!
//! It is Lax, because the provider's answer comes from another site.

use axum::http::{HeaderMap, header::COOKIE};
use cookie::{Cookie, SameSite, time::Duration};

/// How long a browser keeps the cookie: it tells browsers apart and lets nobody in.
const KEPT: Duration = Duration::days(30);

fn cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-ipack_flow" } else { "ipack_flow" }
}

/// The value of the browser's cookie for these flows, where it has one that we could have given.
pub fn flow_cookie(headers: &HeaderMap, is_https: bool) -> Option<String> {
    let name = cookie_name(is_https);
    let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie =
        sent.flat_map(Cookie::split_parse).filter_map(Result::ok).find(|cookie| cookie.name() == name)?;
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let value = cookie.value();
    (value.len() == 43 && value.bytes().all(is_ours)).then(|| value.to_owned())
}

/// The header that gives a browser this cookie.
pub fn set_flow_cookie(value: &str, is_https: bool) -> String {
    Cookie::build((cookie_name(is_https), value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https)
        .path("/")
        .max_age(KEPT)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn s35_the_cookie_is_for_this_host_alone_and_no_script() {
        let value = "a".repeat(43);
        let set = set_flow_cookie(&value, true);
        for part in ["__Host-ipack_flow=", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/;"] {
            assert!(set.contains(part), "{set} lacks {part}");
        }
        assert!(!set_flow_cookie(&value, false).contains("Secure"));
        let headers = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_str(text).expect("a header"));
            headers
        };
        assert_eq!(flow_cookie(&headers(&format!("a=b; ipack_flow={value}")), false), Some(value.clone()));
        assert_eq!(flow_cookie(&headers(&format!("ipack_flow={value}")), true), None);
        for bad in ["short", &"é".repeat(30), &" ".repeat(43)] {
            assert_eq!(flow_cookie(&headers(&format!("ipack_flow={bad}")), false), None, "{bad}");
        }
    }
}
