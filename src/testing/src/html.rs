//! A page's elements, as the parser of browsers sees them.
//!
//! It is strict where a browser is lenient, so that markup that slipped out of a value makes a test fail.

use scraper::{ElementRef, Html};

/// An element, and the text that stands in it and in no element of its own.
#[derive(Debug, Clone, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    /// The names of the elements it stands in, from the outside.
    pub path: Vec<String>,
    /// Which `<form>` of the page it belongs to, counted from 1; 0 for none.
    pub form: usize,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn is(&self, name: &str, attribute: &str, value: &str) -> bool {
        self.name == name && self.attribute(attribute) == Some(value)
    }
}

/// The elements in the order of their start tags. A text without a document type is a part of a page.
///
/// # Panics
/// Where the text is not well-formed.
#[track_caller]
pub fn parse(html: &str) -> Vec<Element> {
    let is_page = html.trim_start().get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
    let strict = without_what_leptos_may(html);
    let parsed = if is_page { Html::parse_document(&strict) } else { Html::parse_fragment(&strict) };
    assert!(parsed.errors.is_empty(), "{:?} in {html}", parsed.errors);
    let mut forms = 0;
    parsed.root_element().descendent_elements().map(|element| describe(element, &mut forms)).collect()
}

/// Stands for a zero byte while a page is parsed: browsers show one as a replacement character, and tests look for what was
/// sent.
const ZERO: &str = "\u{e000}";

fn as_sent(text: &str) -> String {
    text.replace(ZERO, "\0")
}

/// Leptos marks places by comments without a word, and puts scripts behind the end of the page; both are errors that
/// every browser overlooks.
fn without_what_leptos_may(html: &str) -> String {
    html.replace("<!>", "<!---->").replacen("</body></html>", "", 1).replace('\0', ZERO)
}

fn describe(element: ElementRef<'_>, forms: &mut usize) -> Element {
    let name = element.value().name();
    let mut path: Vec<String> = element
        .ancestors()
        .filter_map(|node| node.value().as_element().map(|element| element.name().to_owned()))
        .collect();
    path.reverse();
    if name == "form" {
        *forms += 1;
    }
    let is_in_form = name == "form" || path.iter().any(|outer| outer == "form");
    Element {
        name: name.to_owned(),
        attributes: element.value().attrs().map(|(name, value)| (name.into(), as_sent(value))).collect(),
        text: element
            .children()
            .filter_map(|node| node.value().as_text().map(|text| as_sent(text)))
            .collect(),
        form: if is_in_form { *forms } else { 0 },
        path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_markup_that_slips_out_is_noticed() {
        let page = parse("<p title=\"a &quot;b&quot;\">x &lt; <b>y</b><input disabled value=\"1\"></p>");
        let page = &page[page.iter().position(|one| one.name == "p").expect("a paragraph")..];
        assert_eq!(page[0].attribute("title"), Some("a \"b\""));
        assert_eq!((page[0].text.as_str(), page[1].text.as_str()), ("x < ", "y"));
        assert_eq!(page[2].attribute("value"), Some("1"));
        for broken in [
            "<p></b></p>",
            "<p title=\"a\"b\"></p>",
            "<p><script></p>",
            "<form><form></form></form>",
            "<p>a &nosuch; b",
        ] {
            assert!(std::panic::catch_unwind(|| parse(broken)).is_err(), "{broken}");
        }
    }
}
