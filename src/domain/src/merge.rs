//! Two versions of the form that were made from one: what a page started from, what is kept by now, and what the page
//! posts come together field by field, and in tables row by row.
//!
//! What only one side changed is as that side made it. Of a text that both changed, what is posted stays, for it is the
//! later. A row is told by what stands in it, so one that was edited is another row in the old one's place: rows that
//! either side typed stay, rows that either side took away go, and of two new rows with one key the posted one stays.
//! A new row goes along with the row that it came after, where somebody moves that.
//! Where each side changed something else, it makes no difference which of them posts first.

use crate::{
    fields::{Field, Table},
    form::{FormContent, Parameter},
};
use std::collections::{HashMap, HashSet};
use strum::VariantArray;

/// What is kept once a page that started from `base` has posted `posted`.
pub fn merge(base: &FormContent, kept: &FormContent, posted: &FormContent) -> FormContent {
    let mut merged = kept.clone();
    for field in changed(base, posted) {
        match field {
            Field::Table(table) => {
                *merged.rows_mut(table) = merge_rows(base.rows(table), kept.rows(table), posted.rows(table));
            }
            Field::Text(_) | Field::Menu(_) | Field::Switch(_) => merged.take(field, posted),
        }
    }
    merged
}

/// The fields that a page changed.
pub fn changed(base: &FormContent, posted: &FormContent) -> Vec<Field> {
    Field::all().filter(|field| !base.has_same(posted, *field)).collect()
}

/// A posted content with what the page left alone exactly as the page had got it: an input shows no line breaks, makes
/// another character of NUL, and shows an empty table as one blank row. What was typed is kept without NUL, which no
/// browser sends and PostgreSQL's text cannot hold.
pub fn restored(base: &FormContent, posted: &FormContent) -> FormContent {
    let mut restored = posted.clone();
    restored.for_each_text(|text| text.retain(|c| c != '\0'));
    // An input of one line would show lines of scopes as one scope.
    restored.provider.scopes = in_words(&posted.provider.scopes.replace('\0', ""));
    let (shown, sent) = (in_one_line(base), in_one_line(posted));
    for field in Field::all() {
        match field {
            Field::Table(table) => {
                *restored.rows_mut(table) = restored_rows(
                    base.rows(table),
                    shown.rows(table),
                    sent.rows(table),
                    restored.rows(table),
                );
            }
            Field::Text(_) | Field::Menu(_) | Field::Switch(_) if shown.has_same(&sent, field) => {
                restored.take(field, base);
            }
            Field::Text(_) | Field::Menu(_) | Field::Switch(_) => {}
        }
    }
    restored
}

/// Whether a page that shows one shows the other.
pub fn looks_same(one: &FormContent, other: &FormContent, field: Field) -> bool {
    let (mut one, mut other) = (in_one_line(one), in_one_line(other));
    for content in [&mut one, &mut other] {
        for table in Table::VARIANTS {
            clear_stand_in(content.rows_mut(*table));
        }
    }
    one.has_same(&other, field)
}

/// An empty table is shown with one blank row.
pub fn clear_stand_in(rows: &mut Vec<Parameter>) {
    if let [only] = &rows[..]
        && only.is_blank()
    {
        rows.clear();
    }
}

/// As inputs of one line send it back.
pub fn in_one_line(content: &FormContent) -> FormContent {
    let mut content = content.clone();
    content.provider.scopes = in_words(&content.provider.scopes);
    content.for_each_text(|text| {
        if text.contains(['\r', '\n', '\0']) {
            *text = text.replace(['\r', '\n'], "").replace('\0', "\u{FFFD}");
        }
    });
    content
}

/// With blanks in the place of line breaks.
fn in_words(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\r', '\n'], " ")
}

fn restored_rows(
    base: &[Parameter],
    shown: &[Parameter],
    sent: &[Parameter],
    typed: &[Parameter],
) -> Vec<Parameter> {
    let is_stand_in = |rows: &[Parameter]| rows.is_empty() || matches!(rows, [only] if only.is_blank());
    if is_stand_in(shown) && is_stand_in(sent) {
        return base.to_vec();
    }
    let known: HashMap<_, _> = numbered(shown).into_iter().zip(base).collect();
    let mut rows: Vec<Parameter> = numbered(sent)
        .into_iter()
        .zip(typed)
        .map(|(row, typed)| known.get(&row).copied().unwrap_or(typed).clone())
        .collect();
    clear_stand_in(&mut rows);
    rows
}

/// A row and which of its like it is: the first, the second…
type Numbered<'a> = (&'a Parameter, usize);

fn numbered(rows: &[Parameter]) -> Vec<Numbered<'_>> {
    let mut counts: HashMap<&Parameter, usize> = HashMap::new();
    let mut number = |row| {
        let count = counts.entry(row).or_default();
        *count += 1;
        (row, *count)
    };
    rows.iter().map(&mut number).collect()
}

fn set<'a>(rows: &[Numbered<'a>]) -> HashSet<Numbered<'a>> {
    rows.iter().copied().collect()
}

/// Tables can have tens of thousands of rows: none is compared with each of the others.
pub fn merge_rows<'a>(
    base: &'a [Parameter],
    kept: &'a [Parameter],
    posted: &'a [Parameter],
) -> Vec<Parameter> {
    let (base, kept, posted) = (numbered(base), numbered(kept), numbered(posted));
    let (in_base, in_kept, in_posted) = (set(&base), set(&kept), set(&posted));
    let posted_keys: HashSet<&str> =
        posted.iter().filter(|row| !in_base.contains(*row)).map(|(row, _)| row.key.as_str()).collect();
    let is_answered = |row: &Numbered<'_>| {
        !in_posted.contains(row) && !row.0.key.is_empty() && posted_keys.contains(row.0.key.as_str())
    };
    // Of equal rows, those that one side added outweigh those that the other took away.
    let grown = |side: &[Numbered<'a>]| -> HashSet<&'a Parameter> {
        let is_new = |row: &&Numbered<'a>| !in_base.contains(*row) && !is_answered(row);
        side.iter().filter(is_new).map(|(row, _)| *row).collect()
    };
    let (grown_kept, grown_posted) = (grown(&kept), grown(&posted));
    let stays = |row: &Numbered<'_>| {
        (in_kept.contains(row) && in_posted.contains(row))
            || (in_kept.contains(row) && grown_kept.contains(row.0))
            || (in_posted.contains(row) && grown_posted.contains(row.0))
    };
    let is_new_in_kept = |row: &Numbered<'_>| !in_posted.contains(row) && !is_answered(row);
    let is_moved = !is_sorted_as(&base, &posted, &in_base);
    let order =
        if is_moved { order_of(&base, &posted, &in_posted) } else { order_of(&base, &kept, &in_kept) };
    let (mut kept_runs, mut posted_runs) =
        (runs(&kept, &in_base, is_new_in_kept), runs(&posted, &in_base, |_| true));
    let mut merged: Vec<Numbered<'_>> = Vec::with_capacity(kept.len().max(posted.len()));
    for anchor in std::iter::once(None).chain(order.into_iter().map(Some)) {
        merged.extend(anchor.filter(&stays));
        let mut new = [&mut kept_runs, &mut posted_runs].map(|runs| runs.remove(&anchor).unwrap_or_default());
        // In an order of their own, whoever came first.
        new.sort_unstable();
        merged.extend(new.into_iter().flatten());
    }
    // Posted once more, because the first answer was lost, it changes nothing.
    let has_all = set(&merged) == in_kept && (!is_moved || is_sorted_as(&posted, &kept, &in_posted));
    let rows = if has_all { kept } else { merged };
    rows.into_iter().map(|(row, _)| row.clone()).collect()
}

/// Whether the rows that are in both stand in the same order in both.
fn is_sorted_as(base: &[Numbered<'_>], side: &[Numbered<'_>], in_base: &HashSet<Numbered<'_>>) -> bool {
    let places: HashMap<_, _> = base.iter().zip(0usize..).collect();
    side.iter().filter(|row| in_base.contains(*row)).map(|row| places[row]).is_sorted()
}

/// The rows of the base in the order that a side gave them; one that is not there any more comes after the one that it
/// came after.
fn order_of<'a>(
    base: &[Numbered<'a>],
    side: &[Numbered<'a>],
    in_side: &HashSet<Numbered<'a>>,
) -> Vec<Numbered<'a>> {
    let mut following: HashMap<Option<Numbered<'_>>, Vec<Numbered<'_>>> = HashMap::new();
    let mut last = None;
    for row in base {
        if in_side.contains(row) {
            last = Some(*row);
        }
        following.entry(last).or_default().push(*row);
    }
    let anchors = std::iter::once(None).chain(side.iter().copied().map(Some));
    anchors.filter_map(|anchor| following.remove(&anchor)).flatten().collect()
}

/// The new rows of a side, by the row of the base that they come after.
fn runs<'a>(
    side: &[Numbered<'a>],
    in_base: &HashSet<Numbered<'a>>,
    counts: impl Fn(&Numbered<'a>) -> bool,
) -> HashMap<Option<Numbered<'a>>, Vec<Numbered<'a>>> {
    let mut runs: HashMap<_, Vec<_>> = HashMap::new();
    let mut anchor = None;
    for row in side {
        if in_base.contains(row) {
            anchor = Some(*row);
        } else if counts(row) {
            runs.entry(anchor).or_default().push(*row);
        }
    }
    runs
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
