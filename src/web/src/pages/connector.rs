//! The connector form's page:
//! `/spaces/{space}/instances/{instance}/environments/{env}/processes/{process}/connections/{connection}`

use crate::pages::{
    address::{field, id_after},
    frame::{Failure, Frame},
};
use crate::views::ConnectorView;
use crate::{
    compose::provider_facts::known_providers,
    form::{Connector, ConnectorStart, ROOT},
    functions::{connector::connector, session::signed_in},
    shell::site_version,
};
use ipack_domain::{
    ids::ConnectionKey,
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
            let view = flash.on(connector(key).await?);
            let admin = signed_in().await?.admin;
            let providers = known_providers();
            Ok::<_, crate::error::RequestError>(ConnectorStart { view, admin, providers })
        }
    });
    view! {
        <Frame title="Connection">
            <Suspense>
                {move || Suspend::new(async move {
                    match start.await {
                        Ok(start) => Either::Left(view! { <FormIsland start=start /> }),
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

/// The form, complete as it is, with what the browser's half needs to take it over.
#[component]
fn FormIsland(start: ConnectorStart) -> impl IntoView {
    let json = serde_json::to_string(&start).unwrap_or_default();
    let version = site_version();
    let nonce = use_nonce();
    let script = format!(
        "import('/pkg/ipack-connect.js?v={version}').then(page => \
         page.default({{module_or_path: '/pkg/ipack-connect.wasm?v={version}'}}).then(() => page.hydrate()));"
    );
    view! {
        <Title text=format!("{} · iPack Connect", start.view.names.connection) />
        <div id=ROOT data-start=json>
            <Connector start=start />
        </div>
        <script type="module" nonce=nonce>
            {script}
        </script>
    }
    .into_any()
}
