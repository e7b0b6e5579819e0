//! The connector form's page:
//! `/spaces/{space}/instances/{instance}/environments/{env}/processes/{process}/connections/{connection}`

use super::{
    address::{field, id_after},
    frame::{Failure, Frame},
};
use crate::{
    components::connector_form::{Connector, ConnectorStart, ROOT},
    domain::{
        ids::ConnectionKey,
        tokens::{CredentialField, CredentialProblem, ProblemCode},
        views::{ConnectorView, Outcome},
    },
    error::AppError,
    functions::{connector::connector, session::signed_in},
    server::shell::site_version,
};
use leptos::{either::Either, nonce::use_nonce, prelude::*};
use leptos_meta::Title;

#[component]
pub fn ConnectorPage() -> impl IntoView {
    let key = key_of_address();
    let told = Told::by_address();
    // Not a `Resource`, which would write all of this into the page once more for a browser's half that asks for none.
    let start = AsyncDerived::new(move || {
        let key = key.clone();
        let told = told.clone();
        async move {
            let view = told.on(connector(key).await?);
            let admin = signed_in().await?.admin;
            Ok::<_, AppError>(ConnectorStart { view, admin })
        }
    });
    view! {
        <Frame title="Connection">
            <Suspense>
                {move || Suspend::new(async move {
                    match start.await {
                        Ok(start) => Either::Left(view! { <AwakeningForm start=start /> }),
                        Err(error) => Either::Right(view! { <Failure error=error /> }),
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
struct Told {
    problem: Option<ProblemCode>,
    asks_to_reset: bool,
}

impl Told {
    fn by_address() -> Self {
        Self {
            problem: field("problem").as_deref().and_then(ProblemCode::parse),
            asks_to_reset: field("confirm").as_deref() == Some("reset"),
        }
    }

    fn on(&self, mut view: ConnectorView) -> ConnectorView {
        let credentials = &mut view.credentials;
        if let Some(code) = self.problem {
            let obstacle = credentials.obstacle.clone().filter(|_| code == ProblemCode::Obstacle);
            let field = match code {
                ProblemCode::Obstacle => CredentialField::Token,
                _ => CredentialField::Secret,
            };
            let message = obstacle.unwrap_or_else(|| code.message().to_owned());
            credentials.problem = Some(CredentialProblem { field, code, message });
        }
        if self.asks_to_reset && credentials.token.is_some() {
            view.outcome = Outcome::ResetToConfirm;
        }
        view
    }
}

/// The form, complete as it is, with what the browser's half needs to take it over.
#[component]
fn AwakeningForm(start: ConnectorStart) -> impl IntoView {
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
}
