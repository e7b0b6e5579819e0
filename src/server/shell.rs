//! The HTML around every page, and the Content-Security-Policy that fits it.

use super::{door::CurrentAdmin, state::AppState};
use axum::http::{HeaderValue, header::CONTENT_SECURITY_POLICY, request::Parts};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

/// The document. Pages without a signed-in admin stay plain HTML: there is nothing on them to wake up.
pub fn shell<V: IntoView + 'static>(page: V) -> impl IntoView {
    let parts = use_context::<Parts>();
    let signed_in = parts.is_some_and(|parts| matches!(parts.extensions.get(), Some(CurrentAdmin(Some(_)))));
    let state = use_context::<AppState>();
    let version = state.as_ref().map(|state| state.assets.version.clone()).unwrap_or_default();
    let nonce = use_nonce();
    if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), &nonce)
        && let Ok(policy) = HeaderValue::from_str(&policy(nonce))
    {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
    let script = format!(
        "import('/pkg/ipack-connect.js?v={version}').then(page => \
         page.default({{module_or_path: '/pkg/ipack-connect.wasm?v={version}'}}).then(() => page.hydrate()));"
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=format!("/pkg/ipack-connect.css?v={version}") />
                {state.map(|state| view! { <AutoReload options=state.leptos /> })}
                {signed_in
                    .then(|| {
                        view! {
                            <link rel="modulepreload" href=format!("/pkg/ipack-connect.js?v={version}") nonce=nonce.clone() />
                            <script type="module" nonce=nonce>
                                {script}
                            </script>
                        }
                    })}
                <MetaTags />
            </head>
            <body>{page}</body>
        </html>
    }
}

fn policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads the page through a socket of its own.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() { " ws:" } else { "" };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; connect-src 'self'{reload}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
