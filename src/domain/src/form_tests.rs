use super::*;
use crate::provider::ENDPOINTS;
use std::collections::BTreeSet;

/// A content with another value in each field.
fn filled() -> FormContent {
    let mut content = FormContent::default();
    for field in Field::all() {
        match field {
            Field::Text(text) => text.about().name.clone_into(content.text_mut(text)),
            Field::Menu(MenuField::Provider) => content.choose(MenuField::Provider, ENDPOINTS),
            Field::Menu(MenuField::Region) => content.choose(MenuField::Region, "eu"),
            Field::Menu(menu) => {
                let name = menu.options().last().expect("options").0;
                content.choose(menu, name);
            }
            Field::Switch(switch) => *content.switch_mut(switch) = true,
            Field::Table(table) => content.rows_mut(table).push(Parameter::new(table.slug(), "v")),
        }
    }
    content
}

#[test]
fn each_field_has_a_value_of_its_own_under_the_name_that_is_posted() {
    let posted: BTreeSet<String> = Field::all()
        .map(|field| match field {
            Field::Text(text) => text.about().posted_name(),
            Field::Menu(menu) => menu.about().posted_name(),
            Field::Switch(switch) => switch.about().posted_name(),
            Field::Table(table) => format!("content[{}]", table.part().name()),
        })
        .collect();
    let json = serde_json::to_value(filled()).expect("JSON");
    let mut kept = BTreeSet::new();
    for (name, value) in json.as_object().expect("an object") {
        match value.as_object() {
            Some(inner) => kept.extend(inner.keys().map(|inner| format!("content[{name}][{inner}]"))),
            None => drop(kept.insert(format!("content[{name}]"))),
        }
    }
    assert_eq!(posted, kept);
    for field in Field::all() {
        let (empty, filled) = (FormContent::default(), filled());
        assert!(!empty.has_same(&filled, field), "{field:?}");
        let mut taken = empty.clone();
        taken.take(field, &filled);
        let changed: Vec<_> = Field::all().filter(|field| !taken.has_same(&empty, *field)).collect();
        assert_eq!(changed, [field]);
        assert!(taken.has_same(&filled, field), "{field:?}");
    }
}

#[test]
fn every_part_that_is_filled_says_so() {
    for part in Part::all() {
        assert_eq!(filled().lines(part, None).len(), part.fields().count(), "{part:?}");
    }
    assert_eq!(FormContent::default().lines(Part::Provider, None), ["Discovered"]);
    let preset = ProviderChoice { provider: "slack".into(), ..ProviderChoice::default() };
    let content = FormContent { provider: preset, ..FormContent::default() };
    assert_eq!(content.lines(Part::Provider, Some("Slack")), ["Slack"]);
    assert_eq!(filled().lines(Part::BaseUrl, None), ["base_url"]);
    assert_eq!(filled().lines(Part::Authorization, None), ["authorization = v"]);
}

#[test]
fn what_a_paste_brings_along_is_not_saved() {
    let mut content = FormContent { authorization: vec![Parameter::new(" a ", " 1 ")], ..filled() };
    content.authorization.push(Parameter::new(" ", "\t"));
    content.for_each_text(|text| *text = format!(" {text}\n"));
    content.provider.scopes = " b  c ".into();
    let tidy = content.tidied();
    assert_eq!(tidy.authorization, [Parameter::new("a", "  1 \n")]);
    assert_eq!((&*tidy.base_url, &*tidy.provider.scopes), ("base_url", "b c"));
    assert!(tidy.provider.has_endpoints());
}
