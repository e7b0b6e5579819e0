//! Preflight of one connection: the exact authorization request, and what stands in its way.
//! `/spaces/{space}/instances/{instance}/…/connections/{connection}/preflight`
//!
//! What is checked is decided in `core::connector::preflight`; another verdict gets its words here.

use crate::functions::connector::preflight;
use crate::pages::{
    connector::key_of_address,
    frame::{Failure, Frame},
};
use crate::views::PreflightView;
use ipack_domain::preflight::{Check, Verdict};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

#[component]
pub fn PreflightPage() -> impl IntoView {
    let key = key_of_address();
    let view = AsyncDerived::new(move || preflight(key.clone()));
    view! {
        <Frame title="Preflight">
            <Suspense>
                {move || Suspend::new(async move {
                    match view.await {
                        Ok(view) => Either::Left(view! { <Preflight view=view /> }),
                        Err(error) => Either::Right(view! { <Failure error=error.0 /> }),
                    }
                })}
            </Suspense>
        </Frame>
    }
}

#[component]
fn Preflight(view: PreflightView) -> impl IntoView {
    let PreflightView { key, names, authorization_url, redirect_uri, checks } = view;
    let form = key.form_path();
    let again = format!("{form}/preflight");
    let worst = checks.iter().map(|check| check.verdict).max_by_key(|verdict| *verdict as u8);
    let summary = match worst {
        Some(Verdict::Wrong) => ("notice bad", "Something stands in the way of a token."),
        Some(Verdict::Warning) => {
            ("notice", "A token can be generated; some things are not as they should be.")
        }
        _ => ("notice good", "Nothing stands in the way of a token."),
    };
    view! {
        <Title text=format!("Preflight: {} · iPack Connect", names.connection) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <ol>
                <li>
                    <a href="/">"Installed integrations"</a>
                </li>
                <li>
                    <a href=form.clone()>{format!("{} in {}", names.connection, names.environment)}</a>
                </li>
            </ol>
        </nav>
        <header class="page-header">
            <h1>"Preflight"</h1>
        </header>
        <div class="stack">
            <p class=summary.0 role="status">
                {summary.1}
            </p>
            <section class="card" aria-labelledby="checks">
                <h2 id="checks">"Checks"</h2>
                <ul class="checks">{checks.into_iter().map(check).collect::<Vec<_>>()}</ul>
            </section>
            {authorization_url
                .map(|url| {
                    view! {
                        <section class="card" aria-labelledby="request">
                            <h2 id="request">"Authorization request"</h2>
                            <p class="hint">
                                "The exact address that the browser is sent to; state and code challenge are drawn anew for each attempt."
                            </p>
                            <p class="address">
                                <code>{url}</code>
                            </p>
                            {redirect_uri
                                .map(|uri| {
                                    view! {
                                        <p class="hint">"Register this redirect URI with the provider:"</p>
                                        <p class="address">
                                            <code>{uri}</code>
                                        </p>
                                    }
                                })}
                        </section>
                    }
                })}
            <p class="buttons">
                <a class="button primary" href=form>
                    "Back to the form"
                </a>
                " "
                <a class="button" href=again>
                    "Check again"
                </a>
            </p>
        </div>
    }
}

fn check(check: Check) -> impl IntoView {
    let (class, word) = match check.verdict {
        Verdict::Fine => ("status configured", "Fine"),
        Verdict::Warning => ("status incomplete", "Warning"),
        Verdict::Wrong => ("status broken", "Wrong"),
    };
    view! {
        <li>
            <p>
                <strong>{check.what}</strong>
                " "
                <span class=class>{word}</span>
            </p>
            <p class="finding">{check.finding}</p>
        </li>
    }
}
