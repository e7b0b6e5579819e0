//! What two pages make of one form, by example and by property.

use super::*;
use crate::{
    fields::{MenuField, SwitchField, TextField},
    provider::ENDPOINTS,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Pairs = &'static [(&'static str, &'static str)];

fn rows(pairs: &[(&str, &str)]) -> Vec<Parameter> {
    pairs.iter().map(|(key, value)| Parameter::new(*key, *value)).collect()
}

#[test]
fn each_page_keeps_the_rows_it_typed() {
    let base: Pairs = &[("a", "1"), ("b", "2")];
    let cases: [(&str, Pairs, Pairs, Pairs); 13] = [
        (
            "both added a row",
            &[("a", "1"), ("b", "2"), ("d", "y")],
            &[("a", "1"), ("b", "2"), ("c", "x")],
            &[("a", "1"), ("b", "2"), ("c", "x"), ("d", "y")],
        ),
        (
            "both added the same row",
            &[("a", "1"), ("b", "2"), ("c", "x")],
            &[("c", "x"), ("a", "1"), ("b", "2")],
            &[("a", "1"), ("b", "2"), ("c", "x")],
        ),
        (
            "both added a row with one key",
            &[("a", "1"), ("b", "2"), ("c", "x")],
            &[("a", "1"), ("b", "2"), ("c", "y")],
            &[("a", "1"), ("b", "2"), ("c", "y")],
        ),
        (
            "each changed another row",
            &[("a", "9"), ("b", "2")],
            &[("a", "1"), ("b", "8")],
            &[("a", "9"), ("b", "8")],
        ),
        (
            "deleted here, added there",
            &[("b", "2")],
            &[("a", "1"), ("b", "2"), ("d", "y")],
            &[("b", "2"), ("d", "y")],
        ),
        (
            "added here, deleted there",
            &[("a", "1"), ("b", "2"), ("c", "x")],
            &[("b", "2")],
            &[("b", "2"), ("c", "x")],
        ),
        ("deleted here, changed there", &[("b", "2")], &[("a", "7"), ("b", "2")], &[("a", "7"), ("b", "2")]),
        ("changed here, deleted there", &[("a", "7"), ("b", "2")], &[("b", "2")], &[("a", "7"), ("b", "2")]),
        (
            "both changed one row",
            &[("a", "9"), ("b", "2")],
            &[("a", "7"), ("b", "2")],
            &[("a", "7"), ("b", "2")],
        ),
        (
            "moved here, changed there",
            &[("b", "2"), ("a", "1")],
            &[("a", "1"), ("b", "8")],
            &[("a", "1"), ("b", "8")],
        ),
        (
            "changed here, moved there",
            &[("a", "1"), ("b", "8")],
            &[("b", "2"), ("a", "1")],
            &[("a", "1"), ("b", "8")],
        ),
        ("only one did anything", base, &[("b", "2"), ("a", "1")], &[("b", "2"), ("a", "1")]),
        ("only one deleted all", base, &[], &[]),
    ];
    for (what, kept, posted, expected) in cases {
        assert_eq!(merge_rows(&rows(base), &rows(kept), &rows(posted)), rows(expected), "{what}");
    }
}

#[test]
fn what_a_page_left_alone_stays_to_the_last_byte() {
    let base = FormContent {
        client_id: " two\nlines\r\n".into(),
        company_id: "nul\0".into(),
        authorization: rows(&[("a\n", "1"), ("a", "1"), ("b", "2")]),
        access_token: rows(&[("", "")]),
        ..FormContent::default()
    };
    let shown = FormContent {
        client_id: " twolines".into(),
        company_id: "nul\u{FFFD}".into(),
        authorization: rows(&[("a", "1"), ("a", "1"), ("b", "2")]),
        ..base.clone()
    };
    assert_eq!(restored(&base, &shown), base);
    assert_eq!(restored(&base, &base), base, "with scripts, texts are sent as they came");
    let typed = FormContent {
        authorization: rows(&[("a", "1"), ("a", "1"), ("a", "1"), ("b\0", "3")]),
        access_token: rows(&[("\0", "x")]),
        ..shown
    };
    let kept = restored(&base, &typed);
    assert_eq!(kept.authorization, rows(&[("a\n", "1"), ("a", "1"), ("a", "1"), ("b", "3")]));
    assert_eq!(kept.access_token, rows(&[("", "x")]));
    assert_eq!(kept.client_id, base.client_id);
}

#[test]
fn an_empty_table_is_one_blank_row() {
    let empty = FormContent::default();
    let blank = FormContent { authorization: rows(&[(" ", "")]), ..FormContent::default() };
    assert_eq!(restored(&empty, &blank), empty);
    assert_eq!(restored(&blank, &empty), blank);
    assert!(looks_same(&empty, &blank, Field::Table(Table::Authorization)));
    let full = FormContent { authorization: rows(&[("a", "")]), ..FormContent::default() };
    assert_eq!(restored(&full, &blank), empty, "the last row was emptied");
    assert!(!looks_same(&full, &blank, Field::Table(Table::Authorization)));
}

fn any_rows() -> impl Strategy<Value = Vec<Parameter>> {
    let text = || prop::sample::select(vec!["", "a", "b", "c", "é"]);
    prop::collection::vec((text(), text()).prop_map(|(key, value)| Parameter::new(key, value)), 0..6)
}

fn any_content() -> impl Strategy<Value = FormContent> {
    let texts = prop::collection::vec(prop::sample::select(vec!["", "a", "b"]), TextField::VARIANTS.len());
    (texts, any_rows(), any_rows(), 0..5usize, any::<bool>(), any::<bool>()).prop_map(
        |(texts, authorization, access_token, grant, pkce, every)| {
            let mut content = FormContent { authorization, access_token, ..FormContent::default() };
            for (field, text) in TextField::VARIANTS.iter().zip(texts) {
                text.clone_into(content.text_mut(*field));
            }
            content.choose(MenuField::Grant, MenuField::Grant.options()[grant].0);
            content.choose(MenuField::Provider, if pkce { ENDPOINTS } else { "" });
            *content.switch_mut(SwitchField::WithoutPkce) = pkce;
            *content.switch_mut(SwitchField::EveryEnvironment) = every;
            content
        },
    )
}

/// What a page does to one row of its base.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Leave,
    Delete,
    ChangeValue,
    ChangeKey,
    AddAfter,
}

fn any_edits(count: usize) -> impl Strategy<Value = (Vec<(Edit, bool)>, bool, bool)> {
    let edit = prop::sample::select(vec![
        Edit::Leave,
        Edit::Delete,
        Edit::ChangeValue,
        Edit::ChangeKey,
        Edit::AddAfter,
    ]);
    // Of each row, also which of the two pages touches it; then which one moves rows, and whether one does.
    (prop::collection::vec((edit, any::<bool>()), count), any::<bool>(), any::<bool>())
}

/// The page that touches the rows of its own, and moves rows if it `moves`.
fn edited(base: &[Parameter], edits: &[(Edit, bool)], page: bool, moves: bool) -> Vec<Parameter> {
    let mut rows = Vec::new();
    for (row, (edit, whose)) in base.iter().zip(edits) {
        let edit = if *whose == page { *edit } else { Edit::Leave };
        match edit {
            Edit::Leave => rows.push(row.clone()),
            Edit::Delete => {}
            Edit::ChangeValue => rows.push(Parameter::new(&*row.key, format!("{page}"))),
            Edit::ChangeKey => rows.push(Parameter::new(format!("{}{page}", row.key), &*row.value)),
            Edit::AddAfter => {
                rows.extend([row.clone(), Parameter::new(format!("new {} {page}", row.key), "")])
            }
        }
    }
    if moves {
        // Each new or changed row goes along with the one before it.
        let is_old = |row: &Parameter| base.contains(row);
        let mut groups: Vec<Vec<Parameter>> = vec![Vec::new()];
        for row in rows {
            if is_old(&row) {
                groups.push(Vec::new());
            }
            groups.last_mut().expect("one").push(row);
        }
        groups[1..].reverse();
        rows = groups.concat();
    }
    rows
}

fn counts(rows: &[Parameter]) -> BTreeMap<&Parameter, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn a_page_that_changed_nothing_changes_nothing(base in any_content(), kept in any_content()) {
        prop_assert_eq!(merge(&base, &kept, &base), kept.clone());
        prop_assert_eq!(merge(&base, &base, &kept), kept.clone(), "nobody else did anything");
        prop_assert_eq!(merge(&base, &kept, &kept), kept, "both did the same");
    }

    #[test]
    fn posting_twice_is_posting_once(base in any_content(), kept in any_content(), posted in any_content()) {
        let once = merge(&base, &kept, &posted);
        prop_assert_eq!(merge(&base, &once, &posted), once);
    }

    #[test]
    fn each_field_is_of_the_side_that_changed_it(base in any_content(), kept in any_content(), posted in any_content()) {
        let merged = merge(&base, &kept, &posted);
        for field in Field::all() {
            if base.has_same(&posted, field) {
                prop_assert!(merged.has_same(&kept, field), "{field:?}");
            } else if base.has_same(&kept, field) || !matches!(field, Field::Table(_)) {
                prop_assert!(merged.has_same(&posted, field), "{field:?}");
            }
        }
    }

    #[test]
    fn two_pages_that_touch_different_fields_can_post_in_any_order(
        base in any_content(), one in any_content(), two in any_content(),
        whose in prop::collection::vec(any::<bool>(), Field::all().count()),
    ) {
        let (mut first, mut second) = (base.clone(), base.clone());
        for (field, whose) in Field::all().zip(whose) {
            if whose { first.take(field, &one) } else { second.take(field, &two) }
        }
        prop_assert_eq!(merge(&base, &first, &second), merge(&base, &second, &first));
    }

    #[test]
    fn two_pages_that_touch_different_rows_can_post_in_any_order(
        (edits, who_moves, moves) in (0..9usize).prop_flat_map(any_edits)
    ) {
        let base: Vec<Parameter> =
            (0..edits.len()).map(|number| Parameter::new(format!("key {number}"), "v")).collect();
        let one = edited(&base, &edits, true, moves && who_moves);
        let two = edited(&base, &edits, false, moves && !who_moves);
        let merged = merge_rows(&base, &one, &two);
        prop_assert_eq!(&merged, &merge_rows(&base, &two, &one));
        // Each row is there as the page that touched it made it.
        for (number, (row, (edit, page))) in base.iter().zip(&edits).enumerate() {
            let has = |row: &Parameter| merged.contains(row);
            prop_assert_eq!(has(row), matches!(edit, Edit::Leave | Edit::AddAfter), "row {}", number);
            let made = match edit {
                Edit::Leave | Edit::Delete => continue,
                Edit::ChangeValue => Parameter::new(&*row.key, page.to_string()),
                Edit::ChangeKey => Parameter::new(format!("{}{page}", row.key), "v"),
                Edit::AddAfter => Parameter::new(format!("new {} {page}", row.key), ""),
            };
            prop_assert!(has(&made), "{:?}", made);
        }
        if !moves {
            let order: Vec<_> = base.iter().filter(|row| merged.contains(row)).collect();
            prop_assert_eq!(merged.iter().filter(|row| base.contains(row)).collect::<Vec<_>>(), order);
        }
    }

    #[test]
    fn nothing_that_was_typed_is_lost_and_nothing_comes_back(base in any_rows(), kept in any_rows(), posted in any_rows()) {
        let merged = merge_rows(&base, &kept, &posted);
        let [in_base, in_kept, in_posted, in_merged] = [&base, &kept, &posted, &merged].map(|rows| counts(rows));
        let count = |counts: &BTreeMap<&Parameter, usize>, row: &Parameter| counts.get(row).copied().unwrap_or_default();
        let is_new = |row: &&Parameter| count(&in_posted, row) > count(&in_base, row);
        let new_keys: Vec<&str> = posted.iter().filter(is_new).map(|row| row.key.as_str()).collect();
        for row in base.iter().chain(&kept).chain(&posted) {
            let [before, ours, theirs, now] = [&in_base, &in_kept, &in_posted, &in_merged].map(|counts| count(counts, row));
            if theirs > before {
                prop_assert!(now >= theirs, "{row:?} was posted");
            } else if ours > before {
                let is_answered = !row.key.is_empty() && new_keys.contains(&row.key.as_str());
                prop_assert!(now == ours || is_answered, "{row:?} was kept");
            } else {
                prop_assert_eq!(now, ours.min(theirs), "{:?} was taken away", row);
            }
        }
    }

    #[test]
    fn what_is_restored_shows_the_same(base in any_content(), posted in any_content()) {
        let restored = restored(&base, &posted);
        for field in Field::all() {
            prop_assert!(looks_same(&restored, &posted, field), "{field:?}");
        }
    }
}
