//! What a post of the form makes of the draft. Pure: nothing here reads or writes the database.

use crate::connector::{
    fingerprint::{fingerprint, fingerprint_of_row},
    record::ConnectorRecord,
    submission::Submission,
};
use ipack_domain::{
    button::Button,
    form::{FormContent, Parameter, Part, PartValue},
    post::{Choices, Seen},
    time::Timestamp,
};
use ipack_storage::drafts::Draft;
use std::collections::{HashMap, HashSet, VecDeque};

/// A post with what is to be found out about it before anybody waits for it.
#[derive(Debug)]
pub(crate) struct Post {
    pub button: Button,
    pub choices: Choices,
    pub base_version: i64,
    pub seen: Seen,
    /// As it can be kept.
    pub content: FormContent,
    /// The parts that are not what the page had got.
    pub changed: Vec<Part>,
    /// The fingerprints of the rows of those tables.
    rows: HashMap<Part, Vec<String>>,
}

impl Post {
    pub fn new(submission: Submission) -> Self {
        let content = submitted(&submission);
        let changed = changed(&content, &submission.seen);
        let rows = |part: &Part| match content.part(*part) {
            PartValue::Rows(rows) => Some((*part, rows.iter().map(fingerprint_of_row).collect())),
            _ => None,
        };
        let rows = changed.iter().filter_map(rows).collect();
        let Submission { button, choices, base_version, seen, .. } = submission;
        Self { button, choices, base_version, seen, content, changed, rows }
    }

    /// It asks for nothing but to keep what is there.
    pub fn changes_nothing(&self) -> bool {
        self.button == Button::Keep && self.changed.is_empty()
    }

    /// Puts what the page changed of a part since it saw it into what is kept: a text as a whole, a table row by row.
    fn put_change(&self, kept: &mut FormContent, part: Part) {
        match (kept.part(part), self.content.part(part), self.rows.get(&part)) {
            (PartValue::Rows(ours), PartValue::Rows(theirs), Some(prints)) => {
                let rows = merge(ours, theirs, prints, self.seen.part(part));
                *rows_mut(kept, part) = rows;
            }
            _ => kept.take(part, &self.content),
        }
    }
}

/// The content of a post as it can be kept.
fn submitted(submission: &Submission) -> FormContent {
    let mut content = submission.content.clone();
    // No browser sends a NUL, and PostgreSQL's text cannot hold one.
    for text in [&mut content.base_url, &mut content.company_id, &mut content.client_id] {
        text.retain(|c| c != '\0');
    }
    for text in content.provider.texts_mut() {
        text.retain(|c| c != '\0');
    }
    for rows in [&mut content.authorization, &mut content.access_token] {
        for row in rows.iter_mut() {
            row.key.retain(|c| c != '\0');
            row.value.retain(|c| c != '\0');
        }
        clear_stand_in(rows);
    }
    let mut content = content.without_secrets();
    if let Button::DeleteRow(table, index) = submission.button {
        // The index counts the rows of this page, whatever another one did to the table since.
        let rows = content.rows_mut(table);
        if index < rows.len() {
            rows.remove(index);
        }
        clear_stand_in(rows);
    }
    content
}

/// An empty table is shown with one blank row.
fn clear_stand_in(rows: &mut Vec<Parameter>) {
    if rows.len() == 1 && rows[0].is_blank() {
        rows.clear();
    }
}

/// The parts that are not what the page had got.
fn changed(submitted: &FormContent, seen: &Seen) -> Vec<Part> {
    let differs = |part: &Part| {
        let seen = seen.part(*part);
        // A page that knows nothing of the provider does not choose another one.
        let is_unknown = *part == Part::Provider && seen.is_empty();
        !is_unknown && fingerprint(submitted, *part) != seen
    };
    Part::ALL.into_iter().filter(differs).collect()
}

/// Whether the page showed the draft that is kept, so that its choices were about that.
pub(crate) fn has_seen_draft(record: &ConnectorRecord, seen: &Seen) -> bool {
    record.draft.as_ref().is_some_and(|draft| {
        Part::DETAILS.into_iter().all(|part| fingerprint(&draft.content, part) == seen.part(part))
    })
}

/// The draft after a post: what the page changed since it last saw each part, on top of what is kept.
pub(crate) fn applied(record: &ConnectorRecord, post: &Post, now: Timestamp) -> Draft {
    let mut draft = match &record.draft {
        Some(draft) => {
            let mut draft = draft.clone();
            for part in &post.changed {
                if is_from_elsewhere(record, &draft, post, *part) {
                    draft.base.take(*part, &unlike(&record.start));
                    draft.base_version = draft.base_version.min(post.base_version);
                }
                post.put_change(&mut draft.content, *part);
            }
            draft
        }
        None if post.base_version == record.version() => {
            let mut content = record.start.clone();
            for part in &post.changed {
                post.put_change(&mut content, *part);
            }
            let base = record.start.clone();
            Draft { base_version: post.base_version, base, content, attempted: false, updated_at: now }
        }
        None => stale(record, post, now),
    };
    draft.updated_at = now;
    if let Button::AddRow(table) = post.button {
        let rows = draft.content.rows_mut(table);
        // The blank row that stands in for an empty table counts as the first.
        let blanks = if rows.is_empty() { 2 } else { 1 };
        rows.extend(std::iter::repeat_n(Parameter::default(), blanks));
    }
    draft
}

/// A table that two pages changed. `seen` names the rows that the posting page had got, as
/// [`fingerprint_of_rows`](crate::connector::fingerprint::fingerprint_of_rows) does. Its own new rows stay, those it left
/// alone are as the other page made them, and rows that only the other page has come last. Of a key that both gave a
/// value, the post's stays. Tables can have tens of thousands of rows: none is compared with each of the others.
pub fn merged_rows(kept: &[Parameter], submitted: &[Parameter], seen: &str) -> Vec<Parameter> {
    let submitted_prints: Vec<String> = submitted.iter().map(fingerprint_of_row).collect();
    merge(kept, submitted, &submitted_prints, seen)
}

fn merge(
    kept: &[Parameter],
    submitted: &[Parameter],
    submitted_prints: &[String],
    seen: &str,
) -> Vec<Parameter> {
    let seen: HashSet<&str> = seen.split('.').collect();
    let kept_prints: Vec<String> = kept.iter().map(fingerprint_of_row).collect();
    let is_submitted: HashSet<&str> = submitted_prints.iter().map(String::as_str).collect();
    let mut same: HashMap<&str, VecDeque<&Parameter>> = HashMap::new();
    let mut news: Vec<Option<&Parameter>> = Vec::new();
    let mut news_by_key: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (row, print) in kept.iter().zip(&kept_prints) {
        if is_submitted.contains(print.as_str()) {
            same.entry(print).or_default().push_back(row);
        } else if !seen.contains(print.as_str()) {
            news_by_key.entry(&row.key).or_default().push_back(news.len());
            news.push(Some(row));
        }
    }
    let mut rows = Vec::with_capacity(submitted.len() + news.len());
    for (row, print) in submitted.iter().zip(submitted_prints) {
        if let Some(ours) = same.get_mut(print.as_str()) {
            // Ours, because a page cannot show, nor send back, the line breaks of a row that came through the API.
            rows.push(ours.pop_front().unwrap_or(row).clone());
        } else if !seen.contains(print.as_str()) {
            rows.push(row.clone());
        } else if let Some(at) = news_by_key.get_mut(row.key.as_str()).and_then(VecDeque::pop_front) {
            rows.extend(news[at].take().cloned());
        }
    }
    let taken: HashSet<&str> =
        rows.iter().map(|row| row.key.as_str()).filter(|key| !key.is_empty()).collect();
    let rest = news.into_iter().flatten().filter(|new| !taken.contains(new.key.as_str()));
    let rest: Vec<Parameter> = rest.cloned().collect();
    rows.extend(rest);
    rows
}

/// The page is older than the draft's start, and what it showed of this part is in neither: somebody else saved in
/// between, and another page of this admin knew, but this one did not.
fn is_from_elsewhere(record: &ConnectorRecord, draft: &Draft, post: &Post, part: Part) -> bool {
    post.base_version != draft.base_version
        && [&draft.content, &draft.base, &record.start]
            .into_iter()
            .all(|known| fingerprint(known, part) != post.seen.part(part))
}

/// The first post of a page that was loaded before somebody else saved. What it showed is known by fingerprint only:
/// a part that nobody else changed has its base in what is saved, and one that the page left alone is itself the base.
fn stale(record: &ConnectorRecord, post: &Post, now: Timestamp) -> Draft {
    let (mut base, mut content) = (post.content.clone(), post.content.clone());
    for part in Part::ALL {
        let is_changed = post.changed.contains(&part);
        if fingerprint(&record.start, part) == post.seen.part(part) {
            base.take(part, &record.start);
            if !is_changed {
                content.take(part, &record.start);
            }
        } else if is_changed {
            base.take(part, &unlike(&record.start));
        }
    }
    Draft { base_version: post.base_version, base, content, attempted: false, updated_at: now }
}

/// A base for parts whose own is unknown: surely not what is saved, and nothing that is ever typed.
fn unlike(content: &FormContent) -> FormContent {
    let text = |text: &str| format!("{text}\n");
    let rows = |rows: &[Parameter]| rows.iter().cloned().chain([Parameter::default()]).collect();
    FormContent {
        base_url: text(&content.base_url),
        company_id: text(&content.company_id),
        client_id: text(&content.client_id),
        authorization: rows(&content.authorization),
        access_token: rows(&content.access_token),
        provider: ipack_domain::provider::ProviderChoice {
            provider: text(&content.provider.provider),
            ..content.provider.clone()
        },
        every_environment: content.every_environment,
    }
}

/// Each part from the side that was chosen; the draft then starts from what is saved now.
pub(crate) fn resolve(record: &ConnectorRecord, draft: &mut Draft, is_mine: impl Fn(&Part) -> bool) {
    for part in Part::DETAILS {
        if !is_mine(&part) {
            draft.content.take(part, &record.start);
        }
    }
    draft.base_version = record.version();
    draft.base = record.start.clone();
}

fn rows_mut(content: &mut FormContent, part: Part) -> &mut Vec<Parameter> {
    match part {
        Part::AccessToken => &mut content.access_token,
        _ => &mut content.authorization,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::fingerprint::fingerprint_of_rows;
    use proptest::prelude::*;

    fn rows(pairs: &[(&str, &str)]) -> Vec<Parameter> {
        pairs.iter().map(|(key, value)| Parameter::new(*key, *value)).collect()
    }

    fn merge(seen: &[(&str, &str)], kept: &[(&str, &str)], submitted: &[(&str, &str)]) -> Vec<Parameter> {
        merged_rows(&rows(kept), &rows(submitted), &fingerprint_of_rows(&rows(seen)))
    }

    type Pairs = &'static [(&'static str, &'static str)];

    #[test]
    fn each_page_keeps_the_rows_it_typed() {
        let base: Pairs = &[("a", "1"), ("b", "2")];
        let cases: [(&str, Pairs, Pairs, Pairs); 8] = [
            (
                "both added a row",
                &[("a", "1"), ("b", "2"), ("c", "x")],
                &[("a", "1"), ("b", "2"), ("d", "y")],
                &[("a", "1"), ("b", "2"), ("d", "y"), ("c", "x")],
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
            (
                "both changed one row",
                &[("a", "9"), ("b", "2")],
                &[("a", "7"), ("b", "2")],
                &[("a", "7"), ("b", "2")],
            ),
            ("only one did anything", base, &[("b", "2"), ("a", "1")], &[("b", "2"), ("a", "1")]),
            ("only one deleted all", base, &[], &[]),
            (
                "a line break that no page shows",
                &[("a\n", "1"), ("b", "2")],
                base,
                &[("a\n", "1"), ("b", "2")],
            ),
        ];
        for (what, kept, submitted, expected) in cases {
            assert_eq!(merge(base, kept, submitted), rows(expected), "{what}");
        }
    }

    #[test]
    fn equal_rows_are_each_their_own() {
        // To a page the first two are the same row.
        let kept: Pairs = &[("a\n", "1"), ("a", "1"), ("b", "2")];
        let shown: Pairs = &[("a", "1"), ("a", "1"), ("b", "2")];
        let posted: Pairs = &[("a", "1"), ("a", "1"), ("a", "1"), ("b", "3")];
        assert_eq!(merge(shown, kept, posted), rows(&[("a\n", "1"), ("a", "1"), ("a", "1"), ("b", "3")]));
    }

    fn any_rows() -> impl Strategy<Value = Vec<Parameter>> {
        let text = || prop::sample::select(vec!["", "a", "b", "c", "é"]);
        prop::collection::vec((text(), text()).prop_map(|(key, value)| Parameter::new(key, value)), 0..6)
    }

    proptest! {
        #[test]
        fn a_merge_loses_nothing_that_was_typed(base in any_rows(), kept in any_rows(), posted in any_rows()) {
            let seen = fingerprint_of_rows(&base);
            prop_assert_eq!(&merged_rows(&base, &posted, &seen), &posted);
            prop_assert_eq!(&merged_rows(&kept, &kept, &seen), &kept);
            let merged = merged_rows(&kept, &posted, &seen);
            // What the page typed, and what both have, in the page's order and as often.
            let is_own = |row: &&Parameter| kept.contains(row) || !base.contains(row);
            let mut rest = merged.iter();
            for row in posted.iter().filter(is_own) {
                prop_assert!(rest.any(|other| other == row), "{:?} is not in {:?}", row, merged);
            }
            for row in &kept {
                let is_typed_elsewhere = !base.contains(row) && !posted.contains(row);
                let is_key_answered = !row.key.is_empty() && merged.iter().any(|other| other.key == row.key);
                prop_assert!(!is_typed_elsewhere || is_key_answered || merged.contains(row), "{:?} is not in {:?}", row, merged);
            }
            for row in &merged {
                prop_assert!(kept.contains(row) || posted.contains(row));
                // What either deleted stays away.
                let is_deleted = base.contains(row) && !(kept.contains(row) && posted.contains(row));
                prop_assert!(!is_deleted, "{:?} is in {:?}", row, merged);
            }
        }
    }
}
