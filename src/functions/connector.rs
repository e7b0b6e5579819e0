//! The connector form: loading it, and every post of it.

use crate::{
    domain::{
        form::{FormContent, Part},
        ids::ConnectionKey,
        views::{ConnectorView, Seen},
    },
    error::AppError,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// What was chosen where somebody else had saved: `saved` or `mine` for each part in question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The saved version that the choices are about.
    pub version: i64,
    pub base_url: String,
    pub company_id: String,
    pub client_id: String,
    pub authorization: String,
    pub access_token: String,
}

impl Choices {
    pub const MINE: &'static str = "mine";
    pub const SAVED: &'static str = "saved";

    /// The parts for which this admin's own value was chosen.
    pub fn mine(&self) -> Vec<Part> {
        Part::DETAILS
            .into_iter()
            .filter(|part| self.part(*part).is_some_and(|choice| choice == Self::MINE))
            .collect()
    }

    pub fn set_mine(&mut self, part: Part) {
        if let Some(choice) = self.part_mut(part) {
            Self::MINE.clone_into(choice);
        }
    }

    fn part(&self, part: Part) -> Option<&String> {
        Some(match part {
            Part::BaseUrl => &self.base_url,
            Part::CompanyId => &self.company_id,
            Part::ClientId => &self.client_id,
            Part::Authorization => &self.authorization,
            Part::AccessToken => &self.access_token,
            Part::Scope => return None,
        })
    }

    fn part_mut(&mut self, part: Part) -> Option<&mut String> {
        Some(match part {
            Part::BaseUrl => &mut self.base_url,
            Part::CompanyId => &mut self.company_id,
            Part::ClientId => &mut self.client_id,
            Part::Authorization => &mut self.authorization,
            Part::AccessToken => &mut self.access_token,
            Part::Scope => return None,
        })
    }
}

/// The form of one connection as it stands for the signed-in admin.
#[server(name = GetConnector, prefix = "/api", endpoint = "connector-view", input = GetUrl)]
pub async fn connector(key: ConnectionKey) -> Result<ConnectorView, AppError> {
    let door = crate::server::door::Door::of_request()?;
    // Boxed, for the future is large and is moved several times on its way into a page.
    door.answer(Box::pin(door.services.connector(&door.admin, &key)).await)
}

/// Every post of the form; the button pressed is the intent. Without JavaScript it leads back to the form, at the
/// place that the button was about.
#[server(name = SubmitConnector, prefix = "/api", endpoint = "connector")]
pub async fn submit_connector(
    key: ConnectionKey,
    intent: String,
    #[server(default)] base_version: i64,
    #[server(default)] seen: Seen,
    #[server(default)] content: FormContent,
    #[server(default)] choices: Choices,
) -> Result<ConnectorView, AppError> {
    use crate::{domain::views::Outcome, services::connector::Submission};
    let door = crate::server::door::Door::of_request()?;
    let (intent, place) = read_intent(&intent, &choices)
        .ok_or_else(|| door.fail(AppError::in_field("intent", "The form has no such button.")))?;
    let submission = Submission { intent, base_version, seen, content };
    let view = door.answer(Box::pin(door.services.submit(&door.admin, &key, submission)).await)?;
    let place = match view.outcome {
        Outcome::Refused => Some("#errors".to_owned()),
        Outcome::Conflicting => Some("#conflict".to_owned()),
        Outcome::ChangedElsewhere => Some("#every-environment".to_owned()),
        _ => place,
    };
    door.go_back_to(&format!("{}{}", key.form_path(), place.unwrap_or_default()));
    Ok(view)
}

/// The intent that a button's value stands for, and where on the page its effect is seen.
#[cfg(feature = "ssr")]
pub fn read_intent(
    text: &str,
    choices: &Choices,
) -> Option<(crate::services::connector::Intent, Option<String>)> {
    use crate::services::connector::Intent;
    let table = |name: &str| match name {
        "authorization" => Some(Part::Authorization),
        "access-token" => Some(Part::AccessToken),
        _ => None,
    };
    Some(match text {
        "keep" => (Intent::Keep, None),
        "save" => (Intent::Save, None),
        "discard" => (Intent::Discard, None),
        "resolve" => (Intent::Resolve { version: choices.version, mine: choices.mine() }, None),
        _ => {
            if let Some(name) = text.strip_prefix("add-") {
                (Intent::AddRow(table(name)?), Some(format!("#{name}-add")))
            } else {
                let (name, index) = text.strip_prefix("delete-")?.rsplit_once('-')?;
                (Intent::DeleteRow(table(name)?, index.parse().ok()?), Some(format!("#{name}-add")))
            }
        }
    })
}
