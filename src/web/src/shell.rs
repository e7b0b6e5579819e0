//! The HTML around every page, and the Content-Security-Policy that fits it.
//!
//! What the browser may load besides is named in the policy here.

use crate::context::WebContext;
use axum::http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{MetaTags, Title, provide_meta_context};

/// The document.
pub fn shell<V: IntoView + 'static>(page: V) -> impl IntoView {
    // Before any page asks for it, so that all titles count in one place.
    provide_meta_context();
    let nonce = use_nonce();
    if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), &nonce)
        && let Ok(policy) = HeaderValue::from_str(&policy(nonce))
    {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=format!("/pkg/ipack-connect.css?v={}", site_version()) />
                {use_context::<WebContext>().map(|state| view! { <AutoReload options=state.leptos /> })}
                <Title formatter=escaped />
                <MetaTags />
            </head>
            <body>{page}</body>
        </html>
    }
}

/// Leptos writes a title into the document as it is, and in ours there are names that others gave.
fn escaped(title: String) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What the addresses of the site's script and style carry; empty outside a request.
pub fn site_version() -> String {
    use_context::<WebContext>().map(|state| state.site_version.clone()).unwrap_or_default()
}

fn policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads the page through a socket of its own.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() { " ws:" } else { "" };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src 'self'{reload}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
