//! What stands in the form's inputs: a signal for each field of the registry, rows of their own for each table.

use crate::form::{browser::BeforeWaking, rows::Rows};
use ipack_domain::{
    fields::{Field, MenuField, SwitchField, Table, TextField},
    form::FormContent,
};
use leptos::prelude::*;
use std::array::from_fn;
use strum::VariantArray;

#[derive(Clone, Copy)]
pub struct Inputs {
    texts: [RwSignal<String>; TextField::VARIANTS.len()],
    menus: [RwSignal<String>; MenuField::VARIANTS.len()],
    switches: [RwSignal<bool>; SwitchField::VARIANTS.len()],
    tables: [Rows; Table::VARIANTS.len()],
}

impl Inputs {
    /// What the server sent, with what was typed before the page woke up.
    pub fn new(sent: &FormContent, typed: &BeforeWaking) -> Self {
        let text =
            |field: TextField| typed.text(&field.about().id()).unwrap_or_else(|| sent.text(field).to_owned());
        let menu =
            |field: MenuField| typed.menu(&field.about().id()).unwrap_or_else(|| sent.menu(field).to_owned());
        let switch =
            |field: SwitchField| typed.checked(&field.about().id()).unwrap_or_else(|| sent.switch(field));
        let rows = |table: Table| Rows::new(table, sent.rows(table), typed);
        Self {
            texts: from_fn(|index| RwSignal::new(text(TextField::VARIANTS[index]))),
            menus: from_fn(|index| RwSignal::new(menu(MenuField::VARIANTS[index]))),
            switches: from_fn(|index| RwSignal::new(switch(SwitchField::VARIANTS[index]))),
            tables: from_fn(|index| rows(Table::VARIANTS[index])),
        }
    }

    pub fn text(&self, field: TextField) -> RwSignal<String> {
        self.texts[field as usize]
    }

    pub fn menu(&self, field: MenuField) -> RwSignal<String> {
        self.menus[field as usize]
    }

    pub fn switch(&self, field: SwitchField) -> RwSignal<bool> {
        self.switches[field as usize]
    }

    pub fn rows(&self, table: Table) -> Rows {
        self.tables[table as usize]
    }

    pub fn content(&self) -> FormContent {
        let mut content = FormContent::default();
        for field in Field::all() {
            match field {
                Field::Text(text) => *content.text_mut(text) = self.text(text).get(),
                Field::Menu(menu) => content.choose(menu, &self.menu(menu).get()),
                Field::Switch(switch) => *content.switch_mut(switch) = self.switch(switch).get(),
                Field::Table(table) => *content.rows_mut(table) = self.rows(table).parameters(),
            }
        }
        content
    }

    pub fn set(&self, field: Field, content: &FormContent) {
        match field {
            Field::Text(text) => self.text(text).set(content.text(text).to_owned()),
            Field::Menu(menu) => self.menu(menu).set(content.menu(menu).to_owned()),
            Field::Switch(switch) => self.switch(switch).set(content.switch(switch)),
            Field::Table(table) => self.rows(table).set(content.rows(table)),
        }
    }
}
