//! As much of an HTML parser as our own pages need: elements with their attributes, and the text between them.
//!
//! It is strict where a browser is lenient, so that markup that slipped out of a value makes a test fail.

/// An element's start, and the text from there to the next tag.
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

const VOID: [&str; 6] = ["meta", "link", "input", "img", "br", "hr"];
/// Their text is not markup.
const RAW: [&str; 2] = ["script", "style"];

pub fn parse(html: &str) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    let (mut rest, mut forms, mut form) = (html, 0, 0);
    while let Some(start) = rest.find('<') {
        append(&mut elements, &open, &rest[..start]);
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = &after[after.find("-->").expect("a comment ends") + 3..];
        } else if rest.starts_with("<!") {
            rest = &rest[rest.find('>').expect("a declaration ends") + 1..];
        } else if let Some(after) = rest.strip_prefix("</") {
            let end = after.find('>').expect("an end tag ends");
            let name = after[..end].trim().to_lowercase();
            let (opened, _) = open.pop().unwrap_or_else(|| panic!("</{name}> ends nothing"));
            assert_eq!(opened, name, "elements nest: {}", &html[..html.len() - rest.len()]);
            if name == "form" {
                form = 0;
            }
            rest = &after[end + 1..];
        } else {
            let (mut element, after) = start_tag(&rest[1..]);
            rest = after;
            if element.name == "form" {
                assert_eq!(form, 0, "forms do not nest");
                forms += 1;
                form = forms;
            }
            element.form = form;
            element.path = open.iter().map(|(name, _)| name.clone()).collect();
            let name = element.name.clone();
            elements.push(element);
            if RAW.contains(&name.as_str()) {
                let end = rest.find(&format!("</{name}")).expect("a script ends");
                elements.last_mut().expect("just pushed").text = rest[..end].to_owned();
                rest = &rest[end..];
            }
            if !VOID.contains(&name.as_str()) {
                open.push((name, elements.len() - 1));
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    elements
}

fn append(elements: &mut [Element], open: &[(String, usize)], text: &str) {
    if let Some((_, index)) = open.last() {
        elements[*index].text.push_str(&decode(text));
    }
}

fn start_tag(text: &str) -> (Element, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).expect("a tag ends");
    let mut element = Element { name: text[..end].to_lowercase(), ..Element::default() };
    assert!(element.name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "no tag: <{}", element.name);
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return (element, after);
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return (element, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '=')).expect("a tag ends");
        let name = rest[..end].to_owned();
        assert!(!name.is_empty() && !name.contains(['"', '<']), "no attribute: {name}");
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix("=\"") {
            let end = after.find('"').expect("an attribute ends");
            value = decode(&after[..end]);
            rest = &after[end + 1..];
        }
        element.attributes.push((name, value));
        rest = rest.trim_start();
    }
}

pub fn decode(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').unwrap_or_else(|| panic!("a bare ampersand: {rest}"));
        out.push(match &rest[1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#x27" | "#39" | "apos" => '\'',
            "nbsp" => '\u{a0}',
            other => panic!("an unknown reference: &{other};"),
        });
        rest = &rest[end + 1..];
    }
    out + rest
}

#[test]
fn values_come_back_and_markup_that_slips_out_is_noticed() {
    let page =
        parse("<!DOCTYPE html><p title=\"a &quot;b&quot;\">x &lt; <b>y</b><input disabled value=\"1\"/></p>");
    assert_eq!(page[0].attribute("title"), Some("a \"b\""));
    assert_eq!((page[0].text.as_str(), page[1].text.as_str()), ("x < ", "y"));
    assert_eq!(page[2].attribute("value"), Some("1"));
    for broken in ["<p></b>", "<p title=\"a\"b\">", "<p><script></p>"] {
        assert!(std::panic::catch_unwind(|| parse(broken)).is_err(), "{broken}");
    }
}
