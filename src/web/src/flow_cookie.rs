//! The cookie that tells the browser that began getting a token from every other one.
//!
//! It is Lax, because the provider's answer comes from another site.

use axum::http::{HeaderMap, header::COOKIE};

/// Days that a browser keeps the cookie: it tells browsers apart and lets nobody in.
const COOKIE_SECONDS: u32 = 30 * 24 * 3_600;

fn cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-ipack_flow" } else { "ipack_flow" }
}

/// The value of the browser's cookie for these flows, where it has one that we could have given.
pub fn flow_cookie(headers: &HeaderMap, is_https: bool) -> Option<String> {
    let name = cookie_name(is_https);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .filter(|value| {
            value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

/// The header that gives a browser this cookie.
pub fn set_flow_cookie(value: &str, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{}={value}; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age={COOKIE_SECONDS}",
        cookie_name(is_https)
    )
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
