//! The connector form's page:
//! `/spaces/{space}/instances/{instance}/environments/{env}/processes/{process}/connections/{connection}`

use crate::pages::{
    address::{field, id_after},
    frame::{Failure, Frame},
};
use crate::{
    components::labels::ClassificationChip,
    form::{
        Connector, ConnectorStart, ROOT,
        view::{FormView, Panel},
    },
    functions::{connector::record, session::signed_in},
    panels::{
        fixed::{Suggestions, fixed_parts},
        form_view,
    },
    shell::site_version,
    views::{ConnectorNames, ConnectorView},
};
use ipack_domain::{
    ids::{ConnectionKey, instance_path, segment},
    post::Outcome,
    tokens::{CredentialField, CredentialProblem, ProblemCode},
};
use leptos::{either::Either, nonce::use_nonce, prelude::*};
use leptos_meta::Title;

#[component]
pub fn ConnectorPage() -> impl IntoView {
    let key = key_of_address();
    let flash = Flash::by_address();
    // Not a `Resource`, which would write all of this into the page once more for a browser's half that asks for none.
    let start = AsyncDerived::new(move || {
        let key = key.clone();
        let flash = flash.clone();
        async move {
            let view = flash.on(record(&key).await?);
            let admin = signed_in().await?.admin;
            Ok::<_, crate::error::RequestError>((view, admin))
        }
    });
    view! {
        <Frame title="Connection">
            <Suspense>
                {move || Suspend::new(async move {
                    match start.await {
                        Ok((view, admin)) => Either::Left(view! { <FormPage view=view admin=admin /> }),
                        Err(error) => Either::Right(view! { <Failure error=error.0 /> }),
                    }
                })}
            </Suspense>
        </Frame>
    }
}

/// The connection that a page's address names.
pub(super) fn key_of_address() -> ConnectionKey {
    ConnectionKey {
        space: id_after("spaces"),
        instance: id_after("instances"),
        environment: id_after("environments"),
        process: id_after("processes"),
        connection: id_after("connections"),
    }
}

/// What a post without JavaScript tells the page that it leads back to. Words of ours only: anybody can write an
/// address.
#[derive(Clone)]
struct Flash {
    problems: Vec<CredentialProblem>,
    /// What is asked before it is done.
    question: Option<Outcome>,
}

impl Flash {
    fn by_address() -> Self {
        let question = match field("confirm").as_deref() {
            Some("reset") => Some(Outcome::ResetToConfirm),
            Some("revoke") => Some(Outcome::RevokeToConfirm),
            _ => None,
        };
        let problems = field("problem").as_deref().map(CredentialProblem::told).unwrap_or_default();
        Self { problems, question }
    }

    fn on(&self, mut view: ConnectorView) -> ConnectorView {
        let credentials = &mut view.credentials;
        let flash = |problem: &CredentialProblem| {
            let mut problem = match &credentials.obstacle {
                Some(obstacle) if problem.code == ProblemCode::Obstacle => {
                    CredentialProblem::obstacle(problem.field, obstacle)
                }
                _ => problem.clone(),
            };
            let is_lost = matches!(problem.code, ProblemCode::Obstacle | ProblemCode::NotSaved);
            if is_lost && problem.field != CredentialField::Token {
                problem.message.push_str(" It is kept nowhere: enter it again.");
            }
            problem
        };
        credentials.problems = self.problems.iter().map(flash).collect();
        if let Some(question) = self.question.filter(|_| credentials.token.is_some()) {
            view.outcome = question;
        }
        view
    }
}

/// The form, complete as it is, with what the browser's half needs to take it over, and what only shows around it.
#[component]
fn FormPage(view: ConnectorView, admin: String) -> impl IntoView {
    let names = view.names.clone();
    let suggestions = view.suggestions.clone();
    let fixed = fixed_parts(&view);
    let form = form_view(view, &[]);
    let (status, history) = (form.html(Panel::Status), form.html(Panel::History));
    let key = form.key.clone();
    let json = start_json(&form, &admin);
    let start = ConnectorStart { view: form, admin, fixed };
    let version = site_version();
    let nonce = use_nonce();
    let script = format!(
        "import('/pkg/ipack-connect.js?v={version}').then(page => \
         page.default({{module_or_path: '/pkg/ipack-connect.wasm?v={version}'}}).then(() => page.hydrate()));"
    );
    view! {
        <Title text=format!("{} · iPack Connect", names.connection) />
        <Header names=names key=key status=status />
        <div class="split">
            <div id=ROOT data-start=json>
                <Connector start=start />
            </div>
            <aside aria-labelledby="history">
                <section class="card">
                    <h2 id="history">"History"</h2>
                    <div id=Panel::History.id() inner_html=history></div>
                </section>
            </aside>
        </div>
        <Suggestions suggestions=suggestions />
        <script type="module" nonce=nonce>
            {script}
        </script>
    }
    .into_any()
}

/// What the browser's half starts with. The panels stand on the page, so their HTML is left out.
fn start_json(form: &FormView, admin: &str) -> String {
    let mut view = form.clone();
    view.panels.iter_mut().for_each(|panel| panel.html = None);
    let start = ConnectorStart { view, admin: admin.to_owned(), fixed: Default::default() };
    serde_json::to_string(&start).unwrap_or_default()
}

#[component]
fn Header(names: ConnectorNames, key: ConnectionKey, status: String) -> impl IntoView {
    let back = format!(
        "{}?environment={}&process={}",
        instance_path(&key.space, &key.instance),
        segment(&key.environment),
        segment(&key.process)
    );
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <ol>
                <li>
                    <a href="/">"Installed integrations"</a>
                </li>
                <li>
                    <a href=back>{names.instance}</a>
                </li>
            </ol>
        </nav>
        <header class="page-header">
            <div>
                <h1>{names.connection}</h1>
                <dl class="facts">
                    <div>
                        <dt>"Environment"</dt>
                        <dd>
                            {names.environment} " " <ClassificationChip classification=names.classification />
                        </dd>
                    </div>
                    <div>
                        <dt>"Process"</dt>
                        <dd>{names.process}</dd>
                    </div>
                    <div>
                        <dt>"Space"</dt>
                        <dd>{names.space}</dd>
                    </div>
                    <div>
                        <dt>"Status"</dt>
                        <dd id=Panel::Status.id() inner_html=status></dd>
                    </div>
                </dl>
            </div>
        </header>
    }
}
