//! What a post of the form makes of the draft. Pure: nothing here reads or writes the database.

use super::{
    connector::{Intent, Situation, Submission},
    connector_view::{fingerprint, fingerprint_of_row},
};
use crate::{
    domain::{
        form::{FormContent, Parameter, Part, PartValue},
        time::Timestamp,
    },
    storage::drafts::Draft,
};
use std::collections::HashSet;

/// The content of a post as it can be kept.
pub(super) fn submitted(submission: &Submission) -> FormContent {
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
    if let Intent::DeleteRow(part, index) = submission.intent {
        // The index counts the rows of this page, whatever another one did to the table since.
        let rows = rows_mut(&mut content, part);
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
pub(super) fn changed(submitted: &FormContent, submission: &Submission) -> Vec<Part> {
    let differs = |part: &Part| {
        let seen = submission.seen.part(*part);
        // A page that knows nothing of the provider does not choose another one.
        let is_unknown = *part == Part::Provider && seen.is_empty();
        !is_unknown && fingerprint(submitted, *part) != seen
    };
    Part::ALL.into_iter().filter(differs).collect()
}

/// Whether the page showed the draft that is kept, so that its choices were about that.
pub(super) fn has_seen_draft(situation: &Situation, submission: &Submission) -> bool {
    situation.draft.as_ref().is_some_and(|draft| {
        Part::DETAILS.into_iter().all(|part| fingerprint(&draft.content, part) == submission.seen.part(part))
    })
}

/// The draft after a post: what the page changed since it last saw each part, on top of what is kept.
pub(super) fn applied(
    situation: &Situation,
    submission: &Submission,
    submitted: &FormContent,
    changed: &[Part],
    now: Timestamp,
) -> Draft {
    let mut draft = match &situation.draft {
        Some(draft) => {
            let mut draft = draft.clone();
            for part in changed {
                if is_from_elsewhere(situation, &draft, submission, *part) {
                    draft.base.take(*part, &unlike(&situation.start));
                    draft.base_version = draft.base_version.min(submission.base_version);
                }
                take_changes(&mut draft.content, *part, submitted, submission.seen.part(*part));
            }
            draft
        }
        None if submission.base_version == situation.version() => {
            let mut content = situation.start.clone();
            for part in changed {
                take_changes(&mut content, *part, submitted, submission.seen.part(*part));
            }
            Draft {
                base_version: submission.base_version,
                base: situation.start.clone(),
                content,
                attempted: false,
                updated_at: now,
            }
        }
        None => stale(situation, submission, submitted, changed, now),
    };
    draft.updated_at = now;
    if let Intent::AddRow(part) = submission.intent {
        let rows = rows_mut(&mut draft.content, part);
        // The blank row that stands in for an empty table counts as the first.
        let blanks = if rows.is_empty() { 2 } else { 1 };
        rows.extend(std::iter::repeat_n(Parameter::default(), blanks));
    }
    draft
}

/// Takes over what a page changed of a part since it saw it: a text as a whole, a table row by row.
fn take_changes(kept: &mut FormContent, part: Part, submitted: &FormContent, seen: &str) {
    match (kept.part(part), submitted.part(part)) {
        (PartValue::Rows(ours), PartValue::Rows(theirs)) => {
            let rows = merged_rows(ours, theirs, seen);
            *rows_mut(kept, part) = rows;
        }
        _ => kept.take(part, submitted),
    }
}

/// A table that two pages changed. `seen` names the rows that the posting page had got. Its own new rows stay, those
/// it left alone are as the other page made them, and rows that only the other page has come last. Of a key that both
/// gave a value, the post's stays.
fn merged_rows(kept: &[Parameter], submitted: &[Parameter], seen: &str) -> Vec<Parameter> {
    let seen: HashSet<&str> = seen.split('.').collect();
    let is_seen = |row: &Parameter| seen.contains(fingerprint_of_row(row).as_str());
    // By fingerprint, because a page cannot show, nor send back, the line breaks of a row that came through the API.
    let same = |rows: &[Parameter], row: &Parameter| {
        let print = fingerprint_of_row(row);
        rows.iter().find(|other| fingerprint_of_row(other) == print).cloned()
    };
    let mut news: Vec<&Parameter> =
        kept.iter().filter(|row| !is_seen(row) && same(submitted, row).is_none()).collect();
    let mut rows = Vec::with_capacity(submitted.len() + news.len());
    for row in submitted {
        if let Some(ours) = same(kept, row) {
            rows.push(ours);
        } else if !is_seen(row) {
            rows.push(row.clone());
        } else if let Some(at) = news.iter().position(|new| new.key == row.key) {
            rows.push(news.remove(at).clone());
        }
    }
    let is_taken = |new: &&Parameter| !new.key.is_empty() && rows.iter().any(|row| row.key == new.key);
    let rest: Vec<Parameter> = news.into_iter().filter(|new| !is_taken(new)).cloned().collect();
    rows.extend(rest);
    rows
}

/// The page is older than the draft's start, and what it showed of this part is in neither: somebody else saved in
/// between, and another page of this admin knew, but this one did not.
fn is_from_elsewhere(situation: &Situation, draft: &Draft, submission: &Submission, part: Part) -> bool {
    submission.base_version != draft.base_version
        && [&draft.content, &draft.base, &situation.start]
            .into_iter()
            .all(|known| fingerprint(known, part) != submission.seen.part(part))
}

/// The first post of a page that was loaded before somebody else saved. What it showed is known by fingerprint only:
/// a part that nobody else changed has its base in what is saved, and one that the page left alone is itself the base.
fn stale(
    situation: &Situation,
    submission: &Submission,
    submitted: &FormContent,
    changed: &[Part],
    now: Timestamp,
) -> Draft {
    let (mut base, mut content) = (submitted.clone(), submitted.clone());
    for part in Part::ALL {
        if fingerprint(&situation.start, part) == submission.seen.part(part) {
            base.take(part, &situation.start);
            if !changed.contains(&part) {
                content.take(part, &situation.start);
            }
        } else if changed.contains(&part) {
            base.take(part, &unlike(&situation.start));
        }
    }
    Draft { base_version: submission.base_version, base, content, attempted: false, updated_at: now }
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
        provider: crate::domain::provider::ProviderChoice {
            provider: text(&content.provider.provider),
            ..content.provider.clone()
        },
        every_environment: content.every_environment,
    }
}

/// Each part from the side that was chosen; the draft then starts from what is saved now.
pub(super) fn resolve(situation: &Situation, draft: &mut Draft, is_mine: impl Fn(&Part) -> bool) {
    for part in Part::DETAILS {
        if !is_mine(&part) {
            draft.content.take(part, &situation.start);
        }
    }
    draft.base_version = situation.version();
    draft.base = situation.start.clone();
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

    fn rows(pairs: &[(&str, &str)]) -> Vec<Parameter> {
        pairs.iter().map(|(key, value)| Parameter::new(*key, *value)).collect()
    }

    fn merge(seen: &[(&str, &str)], kept: &[(&str, &str)], submitted: &[(&str, &str)]) -> Vec<Parameter> {
        let seen: Vec<String> = rows(seen).iter().map(fingerprint_of_row).collect();
        merged_rows(&rows(kept), &rows(submitted), &seen.join("."))
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
}
