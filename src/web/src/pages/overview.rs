//! `/`: the installed integrations, and for each OAuth connection its state.

use crate::pages::{
    address::field,
    frame::{Failure, Frame},
};
use crate::views::{ConnectionLine, InstanceCard, Overview};
use crate::{
    components::labels::{ClassificationChip, DraftChip, StateLabel},
    functions::catalogue::overview,
};
use ipack_domain::{
    catalogue::Environment,
    connection_state::ConnectionState,
    ids::{instance_path, segment},
};
use leptos::{either::Either, prelude::*};

#[component]
pub fn OverviewPage() -> impl IntoView {
    let search = StoredValue::new(field("q").unwrap_or_default());
    let after = field("after");
    let found = AsyncDerived::new(move || overview(search.get_value(), after.clone()));
    view! {
        <Frame title="Installed integrations" is_home=true>
            <header class="page-header">
                <div>
                    <h1>"Installed integrations"</h1>
                </div>
                <form class="search" role="search" method="get" action="/">
                    <div>
                        <span class="icon search" aria-hidden="true"></span>
                        <label class="visually-hidden" for="q">
                            "Search integrations"
                        </label>
                        <input
                            id="q"
                            name="q"
                            type="search"
                            placeholder="Search integrations"
                            autocomplete="off"
                            value=search.get_value()
                        />
                    </div>
                    <button class="button" type="submit">
                        "Search"
                    </button>
                </form>
            </header>
            <Suspense>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(found) => Either::Left(view! { <Cards found=found search=search.get_value() /> }),
                        Err(error) => Either::Right(view! { <Failure error=error.0 /> }),
                    }
                })}
            </Suspense>
        </Frame>
    }
}

#[component]
fn Cards(found: Overview, search: String) -> impl IntoView {
    if found.instances.is_empty() {
        return Either::Left(view! { <Nothing search=search /> });
    }
    let next = found.next.map(|after| {
        let address = format!("/?q={}&after={}", segment(&search), segment(&after));
        view! {
            <nav class="pager" aria-label="More">
                <a class="button" href=address>
                    "More integrations"
                </a>
            </nav>
        }
    });
    Either::Right(view! {
        <ul class="stack">
            {found.instances.into_iter().map(|card| view! { <Card card=card /> }).collect::<Vec<_>>()}
        </ul>
        {next}
    })
}

#[component]
fn Nothing(search: String) -> impl IntoView {
    if search.is_empty() {
        Either::Left(view! {
            <div class="card blank">
                <h2>"No integration is installed yet"</h2>
                <p>
                    "Integration packs are installed through the API. As soon as one is, or connector details are saved for it, it is listed here."
                </p>
            </div>
        })
    } else {
        Either::Right(view! {
            <div class="card blank">
                <h2>{format!("No integration matches “{search}”")}</h2>
                <p>"Look for the name of an integration or of its pack."</p>
                <a class="button" href="/">
                    "Show all integrations"
                </a>
            </div>
        })
    }
}

#[component]
fn Card(card: InstanceCard) -> impl IntoView {
    let address = instance_path(&card.space, &card.instance);
    let origin = match card.pack_name.filter(|pack| *pack != card.name) {
        Some(pack) => format!("{pack} · {}", card.space_name),
        None => card.space_name,
    };
    let body = if card.environments.is_empty() {
        Either::Left(
            view! { <p class="meta">"No environment is attached yet. " <a href=address.clone()>"Attach one"</a></p> },
        )
    } else {
        let connections = card.connections;
        let mut environments = card.environments;
        // The connections come worst first, so an environment stands where its first one does.
        environments.sort_by_key(|environment| {
            let worst = connections.iter().find(|line| line.key.environment == environment.id);
            worst.and_then(|line| line.state.as_ref()).map_or(ConnectionState::Ok, |state| state.state)
        });
        Either::Right(view! {
            <ul class="environments">
                {environments
                    .into_iter()
                    .map(|environment| {
                        let here = connections
                            .iter()
                            .filter(|line| line.key.environment == environment.id)
                            .cloned()
                            .collect();
                        view! {
                            <EnvironmentBlock environment=environment lines=here is_complete=card.more == 0 />
                        }
                    })
                    .collect::<Vec<_>>()}
            </ul>
        })
    };
    let more = (card.more > 0).then(|| {
        let text = if card.more == 1 {
            "1 more connection".into()
        } else {
            format!("{} more connections", card.more)
        };
        view! {
            <p class="meta">
                <a href=address.clone()>{text}</a>
            </p>
        }
    });
    view! {
        <li class="card flush">
            <div class="card-header">
                <h2>
                    <a href=address>{card.name}</a>
                </h2>
                <p class="meta">{origin}</p>
            </div>
            {body}
            {more}
        </li>
    }
}

#[component]
fn EnvironmentBlock(
    environment: Environment,
    lines: Vec<ConnectionLine>,
    is_complete: bool,
) -> impl IntoView {
    let body = if lines.is_empty() {
        Either::Left(is_complete.then(|| view! { <p class="meta">"No connection uses OAuth"</p> }))
    } else {
        let names: Vec<String> = lines.iter().map(|line| line.connection_name.clone()).collect();
        let lines = lines.into_iter().map(|line| {
            // Several processes may have a connection of the same name.
            let is_ambiguous = names.iter().filter(|name| **name == line.connection_name).count() > 1;
            let process = is_ambiguous.then(|| view! { <span class="meta">{line.process_name}</span> });
            view! {
                <li>
                    <a class="connection" href=line.key.form_path()>
                        <span>{line.connection_name}</span>
                        " "
                        {process}
                        " "
                        {line.state.map(|state| view! { <StateLabel state=state /> })}
                        " "
                        {line.draft.then(|| view! { <DraftChip /> })}
                    </a>
                </li>
            }
        });
        Either::Right(view! { <ul>{lines.collect::<Vec<_>>()}</ul> })
    };
    view! {
        <li>
            <h3>{environment.name} " " <ClassificationChip classification=environment.classification /></h3>
            {body}
        </li>
    }
}
