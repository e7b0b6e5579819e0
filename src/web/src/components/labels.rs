//! Small labels: an environment's classification, the state of a connection, a draft.

use ipack_domain::{
    catalogue::Classification,
    connection_state::{ConnectionState, StateWithReason},
    time::Moment,
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

/// The state's word; its reason shows to a pointer that rests on it.
#[component]
pub fn StateLabel(state: StateWithReason) -> impl IntoView {
    let class = match state.state {
        ConnectionState::Broken => "status broken",
        ConnectionState::RefreshFailing => "status failing",
        ConnectionState::Expiring | ConnectionState::NoToken | ConnectionState::Changed => {
            "status incomplete"
        }
        ConnectionState::NotConfigured => "status missing",
        ConnectionState::Ok => "status configured",
    };
    view! {
        <span class=class title=state.reason>
            {state.state.words()}
        </span>
    }
}

#[component]
pub fn DraftChip() -> impl IntoView {
    view! { <span class="chip draft">"Draft"</span> }
}

#[component]
pub fn When(moment: Moment) -> impl IntoView {
    view! { <time datetime=moment.iso>{moment.text}</time> }
}
