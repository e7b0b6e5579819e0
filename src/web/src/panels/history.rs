//! Beside the form: who did what, when.

use super::html;
use crate::components::labels::When;
use crate::views::HistoryEntry;
use leptos::prelude::*;

pub fn history(entries: Vec<HistoryEntry>) -> String {
    if entries.is_empty() {
        return html(view! { <p class="meta">"Nothing has been saved yet."</p> });
    }
    let entries = entries.into_iter().map(|entry| view! { <Entry entry=entry /> });
    html(view! { <ol class="timeline">{entries.collect::<Vec<_>>()}</ol> })
}

#[component]
fn Entry(entry: HistoryEntry) -> impl IntoView {
    view! {
        <li>
            <p>
                <strong>{entry.actor}</strong>
                {format!(" {}", entry.what)}
            </p>
            {entry.detail.map(|detail| view! { <p class="detail">{detail}</p> })}
            <p class="meta">
                <When moment=entry.at />
            </p>
        </li>
    }
}
