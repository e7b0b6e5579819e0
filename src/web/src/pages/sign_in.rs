//! `/login`: a plain form, posted to the same address. There is nothing on it to wake up.

use crate::pages::address::field;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};

/// What the form already knows, after an attempt or when a session ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignInAttempt {
    pub email: String,
    /// A local path to go to afterwards.
    pub next: String,
    /// A form that was posted without a session, as it was posted.
    pub carried: String,
    pub message: Option<String>,
}

impl SignInAttempt {
    pub fn with_message(self, message: String) -> Self {
        Self { message: Some(message), ..self }
    }
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = field("next").unwrap_or_default();
    view! {
        <SignInView attempt=SignInAttempt {
            next,
            ..SignInAttempt::default()
        } />
    }
}

#[component]
pub fn SignInView(attempt: SignInAttempt) -> impl IntoView {
    provide_meta_context();
    let SignInAttempt { email, next, carried, message } = attempt;
    // A refused attempt has an email; a session that ended has none yet.
    let refused = message.is_some() && !email.is_empty();
    let described_by = refused.then_some("sign-in-message");
    let invalid = refused.then_some("true");
    view! {
        <Title text="Sign in · iPack Connect" />
        <main class="sign-in" id="main">
            <p class="brand">
                <img src="/favicon.svg" alt="" width="32" height="32" />
                "iPack Connect"
            </p>
            <form class="card stack" method="post" action="/login">
                <h1>"Sign in"</h1>
                {message
                    .map(|message| {
                        let (class, role) = if refused {
                            ("notice bad", "alert")
                        } else {
                            ("notice", "status")
                        };
                        view! {
                            <p class=class role=role id="sign-in-message">
                                {message}
                            </p>
                        }
                    })}
                <input type="hidden" name="next" value=next />
                {(!carried.is_empty())
                    .then(|| view! { <input type="hidden" name="carried" value=carried /> })}
                <div class="field">
                    <label for="email">"Email"</label>
                    <input
                        id="email"
                        name="email"
                        type="email"
                        autocomplete="username"
                        required
                        value=email
                        aria-invalid=invalid
                        aria-describedby=described_by
                    />
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        id="password"
                        name="password"
                        type="password"
                        autocomplete="current-password"
                        required
                        aria-invalid=invalid
                        aria-describedby=described_by
                    />
                </div>
                <button class="button primary" type="submit">
                    "Sign in"
                </button>
            </form>
        </main>
    }
}
