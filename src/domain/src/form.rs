//! The connector form: what it holds, and the way to each value by the kind of its field.
//!
//! What is known of the fields is in [`fields`](crate::fields), what may be in them in
//! [`validation`](crate::validation), and how two versions come together in [`merge`](crate::merge).

pub use crate::parameter::Parameter;
use crate::{
    about::Section,
    fields::{Field, MenuField, SwitchField, Table, TextField},
    parts::Part,
    provider::{ClientAuthentication, Grant, ProviderChoice, SigningAlgorithm},
    trim::{split_scopes, trimmed},
};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

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

/// The text of a field, borrowed with `&` or `&mut`.
macro_rules! text_of {
    ($content:ident, $field:ident, $($borrow:tt)+) => {
        match $field {
            TextField::BaseUrl => $($borrow)+ $content.base_url,
            TextField::CompanyId => $($borrow)+ $content.company_id,
            TextField::ClientId => $($borrow)+ $content.client_id,
            TextField::Issuer => $($borrow)+ $content.provider.issuer,
            TextField::AuthorizationEndpoint => $($borrow)+ $content.provider.authorization_endpoint,
            TextField::TokenEndpoint => $($borrow)+ $content.provider.token_endpoint,
            TextField::RevocationEndpoint => $($borrow)+ $content.provider.revocation_endpoint,
            TextField::Scopes => $($borrow)+ $content.provider.scopes,
            TextField::Subject => $($borrow)+ $content.provider.subject,
            TextField::KeyId => $($borrow)+ $content.provider.key_id,
            TextField::Audience => $($borrow)+ $content.provider.audience,
            TextField::ScopeSeparator => $($borrow)+ $content.provider.scope_separator,
            TextField::TokenLifetime => $($borrow)+ $content.provider.token_lifetime,
            TextField::CompanyParameter => $($borrow)+ $content.provider.company_parameter,
            TextField::Certificate => $($borrow)+ $content.provider.certificate,
            TextField::Claims => $($borrow)+ $content.provider.claims,
        }
    };
}

/// The value of a switch.
macro_rules! switch_of {
    ($content:ident, $field:ident, $($borrow:tt)+) => {
        match $field {
            SwitchField::WithoutPkce => $($borrow)+ $content.provider.without_pkce,
            SwitchField::JsonBody => $($borrow)+ $content.provider.json_body,
            SwitchField::ScopeAtRefresh => $($borrow)+ $content.provider.scope_at_refresh,
            SwitchField::RedirectUriAtRefresh => $($borrow)+ $content.provider.redirect_uri_at_refresh,
            SwitchField::EveryEnvironment => $($borrow)+ $content.every_environment,
        }
    };
}

/// The rows of a table.
macro_rules! rows_of {
    ($content:ident, $table:ident, $($borrow:tt)+) => {
        match $table {
            Table::Authorization => $($borrow)+ $content.authorization,
            Table::AccessToken => $($borrow)+ $content.access_token,
        }
    };
}

impl FormContent {
    pub fn text(&self, field: TextField) -> &str {
        text_of!(self, field, &)
    }

    pub fn text_mut(&mut self, field: TextField) -> &mut String {
        text_of!(self, field, &mut)
    }

    /// What is chosen, by its name.
    pub fn menu(&self, field: MenuField) -> &str {
        match field {
            MenuField::Provider => &self.provider.provider,
            MenuField::Region => &self.provider.region,
            MenuField::Grant => self.provider.grant.name(),
            MenuField::ClientAuthentication => self.provider.client_authentication.name(),
            MenuField::Algorithm => self.provider.algorithm.name(),
        }
    }

    pub fn choose(&mut self, field: MenuField, name: &str) {
        match field {
            MenuField::Provider => name.clone_into(&mut self.provider.provider),
            MenuField::Region => name.clone_into(&mut self.provider.region),
            MenuField::Grant => self.provider.grant = Grant::parse(name),
            MenuField::ClientAuthentication => {
                self.provider.client_authentication = ClientAuthentication::parse(name);
            }
            MenuField::Algorithm => self.provider.algorithm = SigningAlgorithm::parse(name),
        }
    }

    pub fn switch(&self, field: SwitchField) -> bool {
        *switch_of!(self, field, &)
    }

    pub fn switch_mut(&mut self, field: SwitchField) -> &mut bool {
        switch_of!(self, field, &mut)
    }

    pub fn rows(&self, table: Table) -> &[Parameter] {
        rows_of!(self, table, &)
    }

    pub fn rows_mut(&mut self, table: Table) -> &mut Vec<Parameter> {
        rows_of!(self, table, &mut)
    }

    pub fn has_same(&self, other: &Self, field: Field) -> bool {
        match field {
            Field::Text(text) => self.text(text) == other.text(text),
            Field::Menu(menu) => self.menu(menu) == other.menu(menu),
            Field::Switch(switch) => self.switch(switch) == other.switch(switch),
            Field::Table(table) => self.rows(table) == other.rows(table),
        }
    }

    /// Takes over one field of another content.
    pub fn take(&mut self, field: Field, from: &Self) {
        match field {
            Field::Text(text) => from.text(text).clone_into(self.text_mut(text)),
            Field::Menu(menu) => self.choose(menu, from.menu(menu)),
            Field::Switch(switch) => *self.switch_mut(switch) = from.switch(switch),
            Field::Table(table) => from.rows(table).clone_into(self.rows_mut(table)),
        }
    }

    pub fn has_same_part(&self, other: &Self, part: Part) -> bool {
        part.fields().all(|field| self.has_same(other, field))
    }

    pub fn take_part(&mut self, part: Part, from: &Self) {
        for field in part.fields() {
            self.take(field, from);
        }
    }

    /// The parts in which two contents differ, but for the scope.
    pub fn differing(&self, other: &Self) -> Vec<Part> {
        Part::details().filter(|part| !self.has_same_part(other, *part)).collect()
    }

    /// Each text that a person typed, keys and values of tables among them.
    pub fn for_each_text(&mut self, mut change: impl FnMut(&mut String)) {
        for field in Field::all() {
            match field {
                Field::Text(text) => change(self.text_mut(text)),
                Field::Table(table) => {
                    for row in self.rows_mut(table) {
                        change(&mut row.key);
                        change(&mut row.value);
                    }
                }
                Field::Menu(MenuField::Provider) => change(&mut self.provider.provider),
                Field::Menu(MenuField::Region) => change(&mut self.provider.region),
                // One of a list, or yes and no.
                Field::Menu(MenuField::Grant | MenuField::ClientAuthentication | MenuField::Algorithm)
                | Field::Switch(_) => {}
            }
        }
    }

    /// The content as it is saved: without blank rows, without white space around what a paste brings along, and with
    /// one blank between two scopes.
    pub fn tidied(&self) -> Self {
        let mut tidy = self.clone();
        for field in Field::all() {
            match field {
                Field::Text(TextField::Scopes) => {
                    tidy.provider.scopes = split_scopes(&self.provider.scopes).collect::<Vec<_>>().join(" ");
                }
                Field::Text(text) => *tidy.text_mut(text) = trimmed(self.text(text)).to_owned(),
                Field::Menu(menu) => tidy.choose(menu, self.menu(menu).trim()),
                Field::Switch(_) => {}
                Field::Table(table) => {
                    let rows = tidy.rows_mut(table);
                    rows.retain(|row| !row.is_blank());
                    for row in rows {
                        row.key = trimmed(&row.key).to_owned();
                    }
                }
            }
        }
        tidy
    }

    /// Without what was typed as the value of a client secret: a table is no place for one, and it is kept nowhere.
    pub fn without_secrets(mut self) -> Self {
        for table in Table::VARIANTS {
            for row in self.rows_mut(*table).iter_mut().filter(|row| row.is_secret()) {
                row.clear_secret();
            }
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

    /// What a part says, a line each, for reading. `provider` is how a person calls the chosen provider.
    pub fn lines(&self, part: Part, provider: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        for field in part.fields() {
            match field {
                Field::Menu(MenuField::Provider) => lines.push(self.provider.chosen(provider).to_owned()),
                Field::Menu(MenuField::Region) if self.provider.region.is_empty() => {}
                Field::Menu(MenuField::Region) => lines.push(format!("Region: {}", self.provider.region)),
                Field::Menu(menu) => lines.extend(
                    menu.chosen(self.menu(menu)).map(|label| format!("{}: {label}", menu.about().label)),
                ),
                Field::Text(text) if self.text(text).is_empty() => {}
                Field::Text(text) => lines.push(match text.about().section {
                    Section::Details | Section::Scope => self.text(text).to_owned(),
                    Section::Provider | Section::Advanced | Section::Special => {
                        format!("{}: {}", text.about().label, self.text(text))
                    }
                }),
                Field::Switch(switch) => lines.extend(self.switch(switch).then(|| switch.told().to_owned())),
                Field::Table(table) => {
                    let rows = self.rows(table).iter();
                    lines.extend(rows.map(|row| format!("{} = {}", row.key, row.value)));
                }
            }
        }
        lines
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
