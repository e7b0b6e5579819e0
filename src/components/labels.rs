//! Small labels: an environment's classification, how far a connection is configured, a draft.

use crate::domain::{
    time::Moment,
    tokens::TokenState,
    views::{Classification, Configured},
};
use leptos::prelude::*;

#[component]
pub fn ClassificationChip(classification: Classification) -> impl IntoView {
    let class = match classification {
        Classification::Prod => "chip prod",
        Classification::Test => "chip test",
    };
    view! { <span class=class>{classification.as_str()}</span> }
}

#[component]
pub fn ConfiguredStatus(configured: Configured) -> impl IntoView {
    let (class, text) = match configured {
        Configured::Yes => ("status configured", "Configured"),
        Configured::Partly => ("status incomplete", "Incomplete"),
        Configured::No => ("status missing", "Not configured"),
    };
    view! { <span class=class>{text}</span> }
}

#[component]
pub fn TokenStatus(#[prop(into)] state: Option<TokenState>) -> impl IntoView {
    let Some(state) = state else {
        return view! { <span class="status missing">"None"</span> };
    };
    let (class, text) = match state {
        TokenState::Valid => ("status configured", "Valid"),
        TokenState::Struggling => ("status incomplete", "Valid, but the last renewal failed"),
        TokenState::Expired => ("status incomplete", "Ran out"),
        TokenState::Broken => ("status broken", "Broken: generate it again"),
    };
    view! { <span class=class>{text}</span> }
}

#[component]
pub fn DraftChip() -> impl IntoView {
    view! { <span class="chip draft">"Draft"</span> }
}

#[component]
pub fn When(moment: Moment) -> impl IntoView {
    view! { <time datetime=moment.iso>{moment.text}</time> }
}
