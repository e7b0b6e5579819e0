//! The frame of a page: header, skip link, main; and what stands in it when a page cannot be shown.
//!
//! What every page shows goes in here; another reason why a page cannot be shown gets its sentence here.

use crate::functions::session::signed_in;
use axum::http::StatusCode;
use ipack_domain::error::{AppError, ErrorCode};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

/// A page with its title, inside the product's frame.
#[component]
pub fn Frame(
    #[prop(into)] title: String,
    /// This is the page that the header's link leads to.
    #[prop(optional)]
    is_home: bool,
    children: Children,
) -> impl IntoView {
    let person = AsyncDerived::new(signed_in);
    view! {
        <Title text=format!("{title} · iPack Connect") />
        <a class="skip-link" href="#main">
            "Skip to content"
        </a>
        <header class="site-header">
            <div class="site-header-inner">
                <a class="brand" href="/">
                    <img src="/favicon.svg" alt="" width="24" height="24" />
                    "iPack Connect"
                </a>
                <nav aria-label="Main">
                    <a href="/" aria-current=is_home.then_some("page")>
                        "Installed integrations"
                    </a>
                </nav>
                <div class="account">
                    <Suspense>
                        {move || Suspend::new(async move {
                            let person = person.await.ok()?;
                            let email = person.email;
                            Some(
                                view! {
                                    <span class="account-email" title=email.clone()>
                                        {email.clone()}
                                    </span>
                                    <form action="/logout" method="post">
                                        <button class="button quiet" type="submit">
                                            "Sign out"
                                        </button>
                                    </form>
                                },
                            )
                        })}
                    </Suspense>
                </div>
            </div>
        </header>
        <main class="page" id="main" tabindex="-1">
            {children()}
        </main>
    }
}

/// What a page shows instead of what could not be loaded, with the status that says so.
#[component]
pub fn Failure(error: AppError) -> impl IntoView {
    set_status(error.code.status());
    let (heading, sentence) = match error.code {
        ErrorCode::NotFound => {
            ("There is nothing here", "This page does not exist, or you have no access to it.".to_owned())
        }
        ErrorCode::Unauthorized => ("Your session ended", "Sign in again to go on.".to_owned()),
        ErrorCode::TemporarilyUnavailable => ("Not available at the moment", error.message),
        _ => ("Something went wrong", error.message),
    };
    let request_id = error.request_id.filter(|id| !id.is_empty());
    view! {
        <Title text=format!("{heading} · iPack Connect") />
        <div class="card blank">
            <h1>{heading}</h1>
            <p>{sentence}</p>
            {request_id
                .map(|id| {
                    view! {
                        <p class="meta">
                            "Request " <code>{id}</code> ". Whoever runs this server finds it in the log."
                        </p>
                    }
                })}
            <a class="button" href="/">
                "Show installed integrations"
            </a>
        </div>
    }
}

/// The status of the page being rendered.
fn set_status(status: u16) {
    if let (Some(response), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(status)) {
        response.set_status(status);
    }
}
