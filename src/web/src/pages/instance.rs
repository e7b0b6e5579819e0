//! `/spaces/{space}/instances/{instance}`: environments, processes, connections; from there the forms.

use crate::pages::{
    address::{field, id_after},
    frame::{Failure, Frame},
};
use crate::views::{ConnectionLine, InstanceView};
use crate::{
    components::labels::{ClassificationChip, DraftChip, StateLabel, When},
    functions::catalogue::instance,
};
use ipack_domain::{catalogue::Environment, ids::segment};
use leptos::{either::Either, prelude::*};

#[component]
pub fn InstancePage() -> impl IntoView {
    let (space, id) = (id_after("spaces"), id_after("instances"));
    let (environment, process) = (field("environment"), field("process"));
    let (after, attach_after) = (field("after"), field("attach_after"));
    let environments_after = field("environments_after");
    let page = environments_after.clone();
    let found = AsyncDerived::new(move || {
        instance(
            space.clone(),
            id.clone(),
            environment.clone(),
            process.clone(),
            after.clone(),
            environments_after.clone(),
            attach_after.clone(),
        )
    });
    view! {
        <Frame title="Integration">
            <Suspense>
                {move || {
                    let page = page.clone();
                    Suspend::new(async move {
                        match found.await {
                            Ok(found) => Either::Left(view! { <Instance found=found page=page /> }),
                            Err(error) => Either::Right(view! { <Failure error=error.0 /> }),
                        }
                    })
                }}
            </Suspense>
        </Frame>
    }
}

#[component]
fn Instance(
    found: InstanceView,
    /// Where the page of its environments starts.
    page: Option<String>,
) -> impl IntoView {
    let InstanceView {
        space,
        space_name,
        instance,
        name,
        pack_name,
        environments,
        next_environments,
        attachable,
        next_attachable,
        processes,
        environment,
        process,
        connections,
        next,
    } = found;
    let is_unattached = environment.is_none() && environments.is_empty() && page.is_none();
    let field = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("&{name}={}", segment(value))).unwrap_or_default()
    };
    let (page, process_field) = (field("environments_after", &page), field("process", &process));
    let chosen = format!("{}{process_field}", field("environment", &environment));
    let more_attached = next_environments
        .map(|after| format!("?environments_after={}{chosen}#environments", segment(&after)));
    let more_environments =
        next_attachable.map(|id| format!("?attach_after={}{chosen}{page}#attach", segment(&id)));
    let more_connections = next.map(|after| format!("?after={}{chosen}{page}#connections", segment(&after)));
    let attach = view! {
        <Attach
            space=space
            instance=instance
            environments=attachable
            more=more_environments
            is_first=is_unattached
        />
    };
    let body = if is_unattached {
        Either::Left(attach)
    } else {
        let links = environments.into_iter().map(|one| {
            let is_current = environment.as_ref() == Some(&one.id);
            view! {
                <li>
                    <a
                        href=format!("?environment={}{process_field}{page}", segment(&one.id))
                        aria-current=is_current.then_some("true")
                    >
                        <span>{one.name}</span>
                        " "
                        <ClassificationChip classification=one.classification />
                    </a>
                </li>
            }
        });
        let options = processes
            .iter()
            .map(|one| {
                view! {
                    <option value=one.id.clone() selected=process.as_ref() == Some(&one.id)>
                        {one.name.clone()}
                    </option>
                }
            })
            .collect::<Vec<_>>();
        let is_open = process.is_some();
        Either::Right(view! {
            <div class="split nav-first">
                <div>
                    <section class="card" aria-labelledby="environments">
                        <h2 id="environments">"Environments"</h2>
                        <ul class="choices-nav">{links.collect::<Vec<_>>()}</ul>
                        {more_attached
                            .map(|address| {
                                view! { <More address=address label="More attached environments" /> }
                            })}
                    </section>
                    {attach}
                </div>
                <div>
                    <section class="card flush" aria-labelledby="connections">
                        <div class="card-header">
                            <h2 id="connections">"Connections"</h2>
                            <form class="inline-form" method="get">
                                <input type="hidden" name="environment" value=environment.clone() />
                                <label for="process">"Select a process"</label>
                                <select id="process" name="process">
                                    {(!is_open)
                                        .then(|| view! { <option value="">"Choose a process"</option> })}
                                    {options}
                                </select>
                                <button class="button" type="submit">
                                    "Show"
                                </button>
                            </form>
                        </div>
                        {if is_open {
                            Either::Left(view! { <Connections lines=connections more=more_connections /> })
                        } else {
                            Either::Right(
                                view! { <p class="meta">"Select a process to see its connections."</p> },
                            )
                        }}
                    </section>
                </div>
            </div>
        })
    };
    view! {
        <leptos_meta::Title text=format!("{name} · iPack Connect") />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <ol>
                <li>
                    <a href="/">"Installed integrations"</a>
                </li>
            </ol>
        </nav>
        <header class="page-header">
            <div>
                <h1>{name}</h1>
                <dl class="facts">
                    {pack_name
                        .map(|pack| {
                            view! {
                                <div>
                                    <dt>"Pack"</dt>
                                    <dd>{pack}</dd>
                                </div>
                            }
                        })} <div>
                        <dt>"Space"</dt>
                        <dd>{space_name}</dd>
                    </div>
                </dl>
            </div>
        </header>
        {body}
    }
}

#[component]
fn Connections(lines: Vec<ConnectionLine>, more: Option<String>) -> impl IntoView {
    if lines.is_empty() {
        return Either::Left(view! { <p class="meta">"This process has no connections."</p> });
    }
    let rows = lines.into_iter().map(|line| {
        let action = if line.saved.is_some() { "Edit" } else { "Configure" };
        let (status, link) = if let Some(state) = line.state {
            let reason = state.reason.clone();
            (
                Either::Left(view! {
                    <StateLabel state=state />
                    " "
                    {line.draft.then(|| view! { <DraftChip /> })}
                    {reason.map(|reason| view! { <p class="reason">{reason}</p> })}
                }),
                Some(view! {
                    <a class="button" href=line.key.form_path()>
                        {action}
                        <span class="visually-hidden">{format!(" {}", line.connection_name)}</span>
                    </a>
                }),
            )
        } else {
            (Either::Right(view! { <span class="meta">"No OAuth"</span> }), None)
        };
        view! {
            <tr>
                <th scope="row">{line.connection_name.clone()}</th>
                <td>{status}</td>
                <td>
                    {line
                        .saved
                        .map(|saved| {
                            view! {
                                <span class="meta">{format!("{}, ", saved.by)} <When moment=saved.at /></span>
                            }
                        })}
                </td>
                <td>{link}</td>
            </tr>
        }
    });
    Either::Right(view! {
        <table class="rows">
            <thead>
                <tr>
                    <th scope="col">"Connection"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col">"Last saved"</th>
                    <th scope="col">
                        <span class="visually-hidden">"Action"</span>
                    </th>
                </tr>
            </thead>
            <tbody>{rows.collect::<Vec<_>>()}</tbody>
        </table>
        {more.map(|address| view! { <More address=address label="More connections" /> })}
    })
}

/// Leads to the next page of a list.
#[component]
fn More(address: String, label: &'static str) -> impl IntoView {
    view! {
        <nav class="pager" aria-label=label>
            <a class="button" href=address>
                {label}
            </a>
        </nav>
    }
}

#[component]
fn Attach(
    space: String,
    instance: String,
    environments: Vec<Environment>,
    more: Option<String>,
    is_first: bool,
) -> impl IntoView {
    if environments.is_empty() {
        return Either::Left(is_first.then(|| {
            view! {
                <section class="card blank">
                    <h2>"No environment is attached"</h2>
                    <p>
                        "This Space has no environment yet. One comes with a catalogue import, or with the first save for it."
                    </p>
                </section>
            }
        }));
    }
    let options = environments.into_iter().map(|one| {
        view! { <option value=one.id>{format!("{} ({})", one.name, one.classification.as_str())}</option> }
    });
    Either::Right(view! {
        <section class=if is_first { "card blank" } else { "card" } aria-labelledby="attach">
            <h2 id="attach">"Attach an environment"</h2>
            {is_first
                .then(|| {
                    view! {
                        <p>
                            "An integration runs in an environment. Choose where this one runs; its connections are then configured for it."
                        </p>
                    }
                })}
            <form class="inline-form" method="post" action="/api/attach">
                <input type="hidden" name="space" value=space />
                <input type="hidden" name="instance" value=instance />
                <label for="environment">"Environment"</label>
                <select id="environment" name="environment">
                    {options.collect::<Vec<_>>()}
                </select>
                <button class=if is_first { "button primary" } else { "button" } type="submit">
                    "Attach"
                </button>
            </form>
            {more.map(|address| view! { <More address=address label="More environments" /> })}
        </section>
    })
}
