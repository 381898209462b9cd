//! Search for contained text.

/// The LIKE pattern for text that contains this, to be used with `.escape('!')`. What would be a
/// wildcard stands for itself. A backslash would be an escape to some databases and not to others.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn atk_a240_wildcards_stand_for_themselves() {
        assert_eq!(contains("50%_!\\"), "%50!%!_!!\\%");
    }
}
