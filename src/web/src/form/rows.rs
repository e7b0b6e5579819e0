//! The rows of a parameter table, as they are typed in.

use crate::form::browser::BeforeWaking;
use ipack_domain::{fields::Table, form::Parameter};
use leptos::prelude::*;

/// A row of a table: its place in the list may change, its number does not.
#[derive(Debug, Clone)]
pub struct Row {
    pub number: u32,
    /// Its place in the list, counted from 0.
    pub index: ArcRwSignal<u32>,
    pub key: ArcRwSignal<String>,
    pub value: ArcRwSignal<String>,
    /// What is wrong with it, written where all problems are found: a table can have thousands of rows.
    pub problem: ArcRwSignal<Option<String>>,
}

#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub list: RwSignal<Vec<Row>>,
    next_number: StoredValue<u32>,
}

impl Rows {
    /// The rows that the server sent, with what was typed into them before the page woke up.
    pub fn new(table: Table, rows: &[Parameter], source: &BeforeWaking) -> Self {
        let this = Self { list: RwSignal::new(Vec::new()), next_number: StoredValue::new(0) };
        this.set(rows);
        this.list.with_untracked(|list| {
            for row in list {
                for (name, cell) in [("key", &row.key), ("value", &row.value)] {
                    if let Some(text) = source.text(&input_id(table, row.number, name)) {
                        cell.set(text);
                    }
                }
            }
        });
        this
    }

    fn row(self, index: u32, parameter: &Parameter) -> Row {
        let number = self.next_number.get_value();
        self.next_number.set_value(number + 1);
        Row {
            number,
            index: ArcRwSignal::new(index),
            key: ArcRwSignal::new(parameter.key.clone()),
            value: ArcRwSignal::new(parameter.value.clone()),
            problem: ArcRwSignal::new(None),
        }
    }

    /// An empty table is shown with one blank row. Rows that are there stay where they are, and so does the keyboard.
    pub fn set(self, rows: &[Parameter]) {
        let blank = [Parameter::default()];
        let rows = if rows.is_empty() { &blank } else { rows };
        let there = self.list.with_untracked(|list| {
            for (row, parameter) in list.iter().zip(rows) {
                for (cell, text) in [(&row.key, &parameter.key), (&row.value, &parameter.value)] {
                    if cell.with_untracked(|shown| shown != text) {
                        cell.set(text.clone());
                    }
                }
            }
            list.len()
        });
        if there != rows.len() {
            self.list.update(|list| {
                list.truncate(rows.len());
                let more = (0u32..).zip(rows).skip(there);
                list.extend(more.map(|(index, parameter)| self.row(index, parameter)));
            });
        }
    }

    pub fn add(self) -> u32 {
        let index =
            self.list.with_untracked(|list| list.last().map_or(0, |row| row.index.get_untracked() + 1));
        let row = self.row(index, &Parameter::default());
        let number = row.number;
        self.list.update(|list| list.push(row));
        number
    }

    pub fn delete(self, number: u32) {
        self.list.update(|list| list.retain(|row| row.number != number));
        self.list.with_untracked(|list| {
            for (index, row) in (0u32..).zip(list).filter(|(index, row)| row.index.get_untracked() != *index)
            {
                row.index.set(index);
            }
        });
        if self.list.with_untracked(Vec::is_empty) {
            self.set(&[]);
        }
    }

    pub fn parameters(self) -> Vec<Parameter> {
        self.list.with(|list| list.iter().map(|row| Parameter::new(row.key.get(), row.value.get())).collect())
    }
}

/// The id and, with brackets, the name of an input in a row.
pub fn input_id(table: Table, number: u32, cell: &str) -> String {
    format!("{}-{number}-{cell}", table.slug())
}
