//! Beside the form: who saved what, when.

use crate::components::labels::When;
use crate::form::state::FormState;
use leptos::{either::Either, prelude::*};

#[component]
pub fn History(state: FormState) -> impl IntoView {
    let entries = Memo::new(move |_| state.view.with(|view| view.history.clone()));
    view! {
        <aside aria-labelledby="history">
            <section class="card">
                <h2 id="history">"History"</h2>
                {move || {
                    let entries = entries.get();
                    if entries.is_empty() {
                        return Either::Left(view! { <p class="meta">"Nothing has been saved yet."</p> });
                    }
                    let items = entries
                        .into_iter()
                        .map(|entry| {
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
                        });
                    Either::Right(view! { <ol class="timeline">{items.collect::<Vec<_>>()}</ol> })
                }}
            </section>
        </aside>
    }
}
