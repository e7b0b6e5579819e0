//! What a paste brings along: white space and characters without width around a text. Taken off in one way for the form
//! and for the API.

/// The text without white space and characters without width around it.
pub fn trimmed(text: &str) -> &str {
    let is_unseen = |c: char| matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    text.trim_matches(|c: char| c.is_whitespace() || is_unseen(c))
}

/// Scopes as they are written into one line or several, with blanks, commas or semicolons between them, or as a JSON list
/// of them.
pub fn split_scopes(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let is_around = |c: char| matches!(c, '"' | '\'' | '[' | ']');
    text.split(is_between)
        .map(move |scope| trimmed(scope).trim_matches(is_around))
        .filter(|scope| !scope.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_around_a_text_is_taken_off() {
        for around in [" ", "\t", "\r\n", "\u{a0}", "\u{200b}", "\u{feff}", "\u{2060} \u{200d}"] {
            assert_eq!(trimmed(&format!("{around}a b{around}")), "a b", "{around:?}");
        }
        assert_eq!(trimmed("a\u{200b}b"), "a\u{200b}b");
    }

    #[test]
    fn scopes_are_as_many_as_were_written() {
        for written in [
            "a:x b/y",
            "a:x\nb/y",
            "a:x,b/y",
            " a:x ,\r\n b/y, ",
            "a:x;b/y",
            "[\"a:x\", \"b/y\"]",
            "'a:x' 'b/y'",
        ] {
            assert_eq!(split_scopes(written).collect::<Vec<_>>(), ["a:x", "b/y"], "{written:?}");
        }
    }
}
