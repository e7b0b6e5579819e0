//! The connector form: what it holds, when it is valid, and how two versions of it come together.
//!
//! A [`Part`] is the smallest piece that is merged, compared or chosen as a whole. To add a field: a field of
//! [`FormContent`], a [`Part`] with its label, and the compiler names every place that must know it.

use crate::{
    provider::{ProviderChoice, RESERVED_AUTHORIZATION},
    secret_key::is_secret_key,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use strum::VariantArray;

/// One row of a parameter table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub value: String,
}

impl Parameter {
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// A row whose key says that its value is a client secret.
    pub fn is_secret(&self) -> bool {
        is_secret_key(self.key.trim())
    }

    /// A row that a person added and has not typed in.
    pub fn is_blank(&self) -> bool {
        self.key.trim().is_empty() && self.value.trim().is_empty()
    }
}

/// Everything an admin can enter into the connector form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FormContent {
    pub base_url: String,
    pub company_id: String,
    pub client_id: String,
    pub authorization: Vec<Parameter>,
    pub access_token: Vec<Parameter>,
    pub provider: ProviderChoice,
    /// Save to every environment of the instance, not to this one alone.
    pub every_environment: bool,
}

/// The pieces of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    BaseUrl,
    CompanyId,
    ClientId,
    Authorization,
    AccessToken,
    Provider,
    AppliesTo,
}

impl Part {
    pub const ALL: [Self; 7] = [
        Self::BaseUrl,
        Self::CompanyId,
        Self::ClientId,
        Self::Authorization,
        Self::AccessToken,
        Self::Provider,
        Self::AppliesTo,
    ];

    /// The parts that are saved; the scope says only where they go.
    pub const DETAILS: [Self; 6] = [
        Self::BaseUrl,
        Self::CompanyId,
        Self::ClientId,
        Self::Authorization,
        Self::AccessToken,
        Self::Provider,
    ];

    /// The parts that `oauthConnectorDetails` holds.
    pub const IN_JSON: [Self; 5] =
        [Self::BaseUrl, Self::CompanyId, Self::ClientId, Self::Authorization, Self::AccessToken];

    pub fn label(self) -> &'static str {
        match self {
            Self::BaseUrl => "Base URL",
            Self::CompanyId => "Company ID",
            Self::ClientId => "Client ID",
            Self::Authorization => "Authorization Parameters",
            Self::AccessToken => "Access Token Parameters",
            Self::Provider => "Identity provider",
            Self::AppliesTo => "Applies to",
        }
    }

    /// The part's name in forms, fingerprints and suggestions.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::CompanyId => "company_id",
            Self::ClientId => "client_id",
            Self::Authorization => "authorization",
            Self::AccessToken => "access_token",
            Self::Provider => "provider",
            Self::AppliesTo => "every_environment",
        }
    }
}

/// The tables of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Table {
    Authorization,
    AccessToken,
}

impl Table {
    /// How buttons and ids name it.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::AccessToken => "access-token",
        }
    }

    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|table| table.slug() == slug)
    }

    pub fn part(self) -> Part {
        match self {
            Self::Authorization => Part::Authorization,
            Self::AccessToken => Part::AccessToken,
        }
    }
}

/// What one part of a form holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PartValue<'a> {
    Text(&'a str),
    Rows(&'a [Parameter]),
    Provider(&'a ProviderChoice),
    Choice(bool),
}

impl FormContent {
    pub fn rows_mut(&mut self, table: Table) -> &mut Vec<Parameter> {
        match table {
            Table::Authorization => &mut self.authorization,
            Table::AccessToken => &mut self.access_token,
        }
    }

    pub fn part(&self, part: Part) -> PartValue<'_> {
        match part {
            Part::BaseUrl => PartValue::Text(&self.base_url),
            Part::CompanyId => PartValue::Text(&self.company_id),
            Part::ClientId => PartValue::Text(&self.client_id),
            Part::Authorization => PartValue::Rows(&self.authorization),
            Part::AccessToken => PartValue::Rows(&self.access_token),
            Part::Provider => PartValue::Provider(&self.provider),
            Part::AppliesTo => PartValue::Choice(self.every_environment),
        }
    }

    /// Takes over one part of another content.
    pub fn take(&mut self, part: Part, from: &Self) {
        match part {
            Part::BaseUrl => self.base_url.clone_from(&from.base_url),
            Part::CompanyId => self.company_id.clone_from(&from.company_id),
            Part::ClientId => self.client_id.clone_from(&from.client_id),
            Part::Authorization => self.authorization.clone_from(&from.authorization),
            Part::AccessToken => self.access_token.clone_from(&from.access_token),
            Part::Provider => self.provider.clone_from(&from.provider),
            Part::AppliesTo => self.every_environment = from.every_environment,
        }
    }

    pub fn differing(&self, other: &Self, among: &[Part]) -> Vec<Part> {
        among.iter().copied().filter(|part| self.part(*part) != other.part(*part)).collect()
    }

    /// The content as it is saved: without blank rows, and without white space around what a paste brings along.
    pub fn tidied(&self) -> Self {
        let rows = |rows: &[Parameter]| {
            rows.iter()
                .filter(|row| !row.is_blank())
                .map(|row| Parameter::new(row.key.trim(), row.value.as_str()))
                .collect()
        };
        Self {
            base_url: self.base_url.trim().into(),
            company_id: self.company_id.trim().into(),
            client_id: self.client_id.trim().into(),
            authorization: rows(&self.authorization),
            access_token: rows(&self.access_token),
            provider: self.provider.tidied(),
            every_environment: self.every_environment,
        }
    }

    /// Without what was typed as the value of a client secret: a table is no place for one, and it is kept nowhere.
    pub fn without_secrets(mut self) -> Self {
        for row in self.authorization.iter_mut().chain(&mut self.access_token).filter(|row| row.is_secret()) {
            row.value.clear();
        }
        self
    }

    /// What an OAuth client cannot do without and is not there yet.
    pub fn missing(&self) -> Vec<Part> {
        [(Part::BaseUrl, &self.base_url), (Part::ClientId, &self.client_id)]
            .into_iter()
            .filter_map(|(part, value)| value.trim().is_empty().then_some(part))
            .collect()
    }
}

/// Where on the form something is wrong: a field, or a row of a table counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProblemLocation {
    Field(Part),
    Row(Part, u32),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub place: ProblemLocation,
    pub message: String,
}

/// Everything that keeps this content from being saved, in the order of the page.
pub fn validate(content: &FormContent) -> Vec<Problem> {
    let mut problems = Vec::new();
    let base_url = content.base_url.trim();
    if !base_url.is_empty() && !is_http_url(base_url) {
        problems.push(Problem {
            place: ProblemLocation::Field(Part::BaseUrl),
            message: "Enter a URL that starts with https:// or http://".into(),
        });
    }
    for (part, rows) in
        [(Part::Authorization, &content.authorization), (Part::AccessToken, &content.access_token)]
    {
        let mut first_with: HashMap<&str, u32> = HashMap::new();
        for (index, row) in (0u32..).zip(rows.iter()).filter(|(_, row)| !row.is_blank()) {
            let key = row.key.trim();
            let message = if key.is_empty() {
                "This value has no key".to_owned()
            } else if row.is_secret() {
                "A client secret has no place here: these parameters are readable by everybody who can open the form. \
                 Enter it as Client Secret; its value is not kept here"
                    .into()
            } else if part == Part::Authorization && RESERVED_AUTHORIZATION.contains(&key) {
                reserved(key)
            } else if first_with.insert(key, index).is_some() {
                "This key stands twice in this table".into()
            } else {
                continue;
            };
            problems.push(Problem { place: ProblemLocation::Row(part, index), message });
        }
    }
    problems.extend(provider_problem(&content.provider));
    problems
}

/// What is said of a form: once a save was `attempted`, all that keeps it from being saved; before that, only what is
/// not kept either.
pub fn problems(content: &FormContent, attempted: bool) -> Vec<Problem> {
    let is_secret = |problem: &Problem| match problem.place {
        ProblemLocation::Row(part, index) => match content.part(part) {
            PartValue::Rows(rows) => rows.get(index as usize).is_some_and(Parameter::is_secret),
            _ => false,
        },
        ProblemLocation::Field(_) => false,
    };
    let mut problems = validate(content);
    problems.retain(|problem| attempted || is_secret(problem));
    problems
}

fn reserved(key: &str) -> String {
    let instead = match key {
        "scope" => "; enter scopes under Identity provider",
        "client_id" => "; enter it as Client ID",
        _ => "",
    };
    format!("{key} is set by iPack Connect itself{instead}")
}

/// The first thing that is wrong with the choice of a provider: its fields are one part of the form.
fn provider_problem(choice: &ProviderChoice) -> Option<Problem> {
    let problem = |message: String| Some(Problem { place: ProblemLocation::Field(Part::Provider), message });
    let endpoints = [
        ("Issuer", &choice.issuer, choice.is_discovered()),
        ("Authorization endpoint", &choice.authorization_endpoint, choice.has_endpoints()),
        ("Token endpoint", &choice.token_endpoint, choice.has_endpoints()),
        ("Revocation endpoint", &choice.revocation_endpoint, choice.has_endpoints()),
    ];
    for (label, text, is_asked) in endpoints {
        let text = text.trim();
        if is_asked && !text.is_empty() && !is_http_url(text) {
            return problem(format!("{label}: enter a URL that starts with https:// or http://"));
        }
    }
    if choice.has_endpoints() && choice.token_endpoint.trim().is_empty() {
        return problem("Enter the token endpoint".to_owned());
    }
    let lifetime = choice.token_lifetime.trim();
    if !lifetime.is_empty() && !lifetime.parse::<u32>().is_ok_and(|seconds| seconds > 0) {
        return problem("Lifetime of tokens: enter whole seconds".to_owned());
    }
    None
}

/// An absolute http or https URL with a host and without white space or credentials.
fn is_http_url(text: &str) -> bool {
    let Some(rest) = ["https://", "http://"].iter().find_map(|scheme| {
        text.get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .map(|_| &text[scheme.len()..])
    }) else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && !host.starts_with(':')
        && !host.contains('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_rows(rows: &[(&str, &str)]) -> FormContent {
        FormContent {
            authorization: rows.iter().map(|(key, value)| Parameter::new(*key, *value)).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn urls() {
        for good in
            ["https://baseURL.com", "http://127.0.0.1:8080/a?b", "HTTPS://x", "https://ü.example/", ""]
        {
            let content = FormContent { base_url: good.into(), ..Default::default() };
            assert_eq!(validate(&content), [], "{good}");
        }
        for bad in [
            "example.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://a b",
            "https://u:p@x",
            "javascript:1",
            "http://:80",
        ] {
            let content = FormContent { base_url: bad.into(), ..Default::default() };
            assert_eq!(validate(&content).len(), 1, "{bad}");
        }
    }

    #[test]
    fn rows_are_judged_one_by_one_and_blank_ones_never() {
        let content =
            with_rows(&[("a", "1"), ("", ""), ("", "x"), (" a ", "2"), ("b", ""), ("client_secret", "s")]);
        let places: Vec<_> = validate(&content).into_iter().map(|p| p.place).collect();
        let row = |index| ProblemLocation::Row(Part::Authorization, index);
        assert_eq!(places, [row(2), row(3), row(5)]);
        assert_eq!(content.tidied().authorization.len(), 5);
    }

    #[test]
    fn the_value_of_a_client_secret_is_kept_in_no_table_and_that_is_said_at_once() {
        for key in
            ["client_secret", "clientSecret", "Client-Secret", " CLIENT SECRET ", "\tclientsecret\u{a0}"]
        {
            let row = |value| Parameter::new(key, value);
            let other = Parameter::new("client_secret_expires", "kept");
            let content = FormContent {
                authorization: vec![other.clone(), row("hush")],
                access_token: vec![row("hush")],
                base_url: "not judged yet".into(),
                ..Default::default()
            };
            assert_eq!(validate(&content).len(), 3, "{key}");
            let content = content.without_secrets();
            assert_eq!(content.authorization, [other, row("")], "{key}");
            assert_eq!(content.access_token, [row("")], "{key}");
            let places: Vec<_> = problems(&content, false).into_iter().map(|problem| problem.place).collect();
            assert_eq!(
                places,
                [ProblemLocation::Row(Part::Authorization, 1), ProblemLocation::Row(Part::AccessToken, 0)],
                "{key}"
            );
            assert_eq!(problems(&content, true), validate(&content));
        }
    }

    #[test]
    fn the_same_key_in_the_other_table_is_fine() {
        let mut content = with_rows(&[("a", "1")]);
        content.access_token = content.authorization.clone();
        assert_eq!(validate(&content), []);
    }
}
