//! A browser's stop on its way to an identity provider and back; `server::oauth_pages` serves it.
//!
//! What it says is the attempt's stage; another stage gets its sentence in [`AttemptProgress`].

use crate::components::causes::Causes;
use ipack_core::tokens::attempt::AttemptPage;
use ipack_domain::tokens::Stage;
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{Meta, Title, provide_meta_context};
use uuid::Uuid;

/// The page that sends a browser on to the identity provider.
pub fn attempt_path(id: Uuid) -> String {
    format!("/oauth/attempts/{id}")
}

/// The longest address that goes into a header: proxies take 4 KiB of headers, or 8. A longer one is sent in the page.
pub const LONGEST_IN_HEADER: usize = 2_000;

#[component]
pub fn AttemptProgress(page: AttemptPage) -> impl IntoView {
    provide_meta_context();
    let AttemptPage { key, stage, message, causes, is_in_window, authorization_url } = page;
    let form = format!("{}#token", key.form_path());
    let (class, role) = if stage == Stage::Failed { ("notice bad", "alert") } else { ("attempt", "status") };
    let step = match stage {
        Stage::Opening => 1,
        Stage::Initializing => 2,
        Stage::Succeeded | Stage::Failed => 3,
    };
    // A script can close a window that a script opened; where it may not, the sentence says what to do.
    // Where the script may not close the window, it is the form's own tab, and the form comes back. Every character of its
    // path that could end the text is escaped.
    let script = (stage.is_over() && is_in_window).then(|| {
        let script = format!(
            "setTimeout(() => window.close(), 1200); setTimeout(() => location.replace('{form}'), 2200);"
        );
        view! { <script nonce=use_nonce()>{script}</script> }
    });
    let in_page = authorization_url.clone().filter(|url| url.len() > LONGEST_IN_HEADER);
    view! {
        {in_page.map(|url| view! { <Meta http_equiv="refresh" content=format!("0; url={url}") /> })}
        <Title text=format!("{} · iPack Connect", stage.message()) />
        <main class="page" id="main">
            <div class="card blank">
                <h1>"Access token"</h1>
                <div class=class role=role>
                    <p>{message}</p>
                    <Causes causes=causes form=key.form_path() />
                </div>
                <progress max="3" value=step aria-label="Progress"></progress>
                {authorization_url
                    .map(|url| {
                        view! {
                            <p class="meta">"You are on your way to the identity provider."</p>
                            <a class="button" href=url rel="noreferrer">
                                "Continue to the identity provider"
                            </a>
                        }
                    })}
                {(stage.is_over() && is_in_window)
                    .then(|| {
                        view! { <p class="meta">"You can close this window; the form knows already."</p> }
                    })}
                <a class="button quiet" href=form>
                    "Back to the form"
                </a>
            </div>
        </main>
        {script}
    }
}
